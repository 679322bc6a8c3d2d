"""What all tests of dreams share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def few_to_collect() -> Iterator[None]:
    """Each job collects garbage before it loads a model: all that pytest holds need not be searched every time."""
    gc.freeze()
    yield
    gc.unfreeze()
