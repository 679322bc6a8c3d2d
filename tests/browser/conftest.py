"""A site of a small made atlas, and a page of headless Chromium that notes all that it asks for and complains of."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_atlas import LAYERS, make_atlas
from made_similarity import write_losing, write_maps, write_similarity
from playwright.sync_api import Browser, Playwright, sync_playwright

from atlas.records import Address
from atlas.report.site import lists
from atlas.report.site.write import write_site
from tests.browser.visit import FLAGS, Visit, chromium, firefox_here, served, visiting


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """As its makers ship it, not Playwright's own: it is driven by WebDriver BiDi."""
    opened = playwright.firefox.launch(executable_path=firefox_here(), channel="moz-firefox", timeout=90_000)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas of two networks: a dead channel, a failed one, two that lose, some not made yet; with similarity and its site."""
    root = tmp_path_factory.mktemp("browser") / "made"
    paths = make_atlas(root, LAYERS)
    write_similarity(paths)
    write_maps(paths)
    write_losing(paths, {Address("alpha", "conv2", 7): (9,), Address("alpha", "conv2", 8): (4, 9)})
    with pytest.MonkeyPatch.context() as patch:
        # so few features have no hubs
        patch.setitem(lists.LISTS, "hubs", {"": lists.HUBS.replace(f"count(*) > {lists.NEAREST}", "count(*) > 1")})
        write_site(paths)
    return root


@pytest.fixture
def visit(browser: Browser, made: Path) -> Iterator[Visit]:
    """A fresh browser on the site, opened by double click; it must have nothing to complain of."""
    with visiting(browser, made) as opened:
        yield opened


@pytest.fixture
def served_visit(browser: Browser, made: Path) -> Iterator[Visit]:
    """The same from `atlas serve`: for tests of what is loaded, since scripts do not know where they came from."""
    with served(made) as address, visiting(browser, made, address) as opened:
        yield opened


@pytest.fixture(params=["visit", "served_visit"])
def either_visit(request: pytest.FixtureRequest) -> Visit:
    return request.getfixturevalue(request.param)
