"""Shape annotations are checked at run time where they stand; one torch thread, so that workers of xdist do not fight."""

import gc
import os
from collections.abc import Iterator
from threading import Lock

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import config, install_import_hook

install_import_hook(
    ["atlas.optvis", "atlas.zoo", "atlas.similarity", "atlas.optvis.make", "atlas.generate.visualize"],
    "checked.checked",
)
# whole jobs go the same ways thousands of times more: the checks took a fifth of their time
CHECKED = ("optvis", "zoo", "similarity", "generate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start whole jobs come first, so that at the end no worker waits minutes for the other."""
    items.sort(key=lambda item: item.get_closest_marker("process") is None)


def pytest_sessionfinish() -> None:
    """What was kept from the search for garbage is let go of as ever, or libraries tell of leaks."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="module")
def shapes_checked(request: pytest.FixtureRequest) -> None:
    """Annotations of shapes are checked in the tests of the packages that have them."""
    config.update("jaxtyping_disable", not set(CHECKED) & set(request.path.parts))


@pytest.fixture(autouse=True, scope="module")
def few_to_collect() -> None:
    """What pytest and the libraries hold is not searched for garbage again and again: half a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def cards_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are read in this process: a child that imports torch for each job would take most of the time."""
    from atlas.config.mistakes import ConfigError
    from atlas.config.schema import ModelConfig
    from atlas.records import ModelCard
    from atlas.zoo import card_reader
    from atlas.zoo.card import make_card

    # random weights are drawn after a seed is set, which the reader's threads share here
    alone = Lock()

    def read(name: str, config: ModelConfig) -> ModelCard | ConfigError:
        try:
            with alone:
                return make_card(name, config)
        except ConfigError as error:
            return error

    monkeypatch.setattr(card_reader, "read_card", read)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a real S3 server; this process and its children speak to it."""
    from object_store import serving, use

    before = dict(os.environ)
    with serving(tmp_path_factory.mktemp("s3")) as endpoint:
        use(endpoint)
        yield endpoint
    os.environ.clear()
    os.environ.update(before)
