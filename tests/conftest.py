"""Shape annotations are checked at run time in every test; one torch thread, so that workers of xdist do not fight."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook

install_import_hook(
    ["atlas.optvis", "atlas.zoo", "atlas.similarity", "atlas.run.images", "atlas.run.visualize"], "checked.checked"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First those that start whole jobs: they take long, some of them share one worker, and the others fill the rest."""
    items.sort(key=lambda item: item.get_closest_marker("process") is None)
