"""A small atlas of PatternNet with two layers and some classes, made and compared once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweeps import SMALL, patternnet_card, run_small, sweep

from atlas.query.atlas import Atlas
from atlas.similarity.job import similarity

PROBES = ("probe=[atlas,patterns]", "probes.patterns.count=300", "probes.patterns.examples=0")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("asked") / "a"
    run_small(out, "layers=[conv2,conv4]", "channels=0:16")
    run_small(out, "layers=[logits]", "channels=[4,5,9]")
    similarity(sweep(*SMALL, f"out={out}", *PROBES), {"patternnet": patternnet_card()})
    return out


@pytest.fixture(scope="session")
def opened(root: Path) -> Iterator[Atlas]:
    """The atlas, whose network is loaded but once."""
    with Atlas(root) as atlas:
        yield atlas


@pytest.fixture
def changed(root: Path, tmp_path: Path) -> Path:
    """A copy of the atlas, to change."""
    return Path(shutil.copytree(root, tmp_path / "a"))
