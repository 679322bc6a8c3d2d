"""Atlases with a site, for all tests of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_atlas import make_atlas
from made_similarity import write_maps, write_similarity

from atlas.report.site import static
from atlas.report.site.write import write_site
from atlas.store.paths import AtlasPaths
from tests.report.site_files import LAYERS


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page as it is now, whoever works on it meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static, "STATIC", shutil.copytree(static.STATIC, tmp_path_factory.mktemp("page") / "static"))
        yield


@pytest.fixture(scope="session")
def compared(page: None, tmp_path_factory: pytest.TempPathFactory) -> AtlasPaths:
    """An atlas with similarity, and its site; not to be changed."""
    paths = make_atlas(tmp_path_factory.mktemp("site") / "a", LAYERS)
    write_similarity(paths)
    write_maps(paths)
    write_site(paths)
    return paths


@pytest.fixture
def made(compared: AtlasPaths, tmp_path: Path) -> AtlasPaths:
    """A copy of it, whose overview says where it lies."""
    paths = AtlasPaths(shutil.copytree(compared.root, tmp_path / "a"))
    write_site(paths)
    return paths
