"""The site in another browser: Firefox as Debian ships it."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.test_pages import PAGES
from tests.browser.visit import Visit

pytestmark = [pytest.mark.job, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(firefox: Browser) -> Browser:
    """The one that pages are opened in here."""
    return firefox


def shades(visit: Visit) -> int:
    """How many different colors the canvas of a page shows."""
    picture = Image.open(BytesIO(visit.all("main canvas").first.screenshot())).convert("RGB").resize((96, 64))
    return len(picture.getcolors(1 << 24) or ())


def test_every_page_is_drawn(either_visit: Visit) -> None:
    drawn = {route: either_visit.go(route).heading.replace("\n", "") for route in PAGES}
    assert drawn == PAGES


def test_what_is_asked_of_others_and_complained_of_would_be_noted(visit: Visit) -> None:
    """Or else the other tests of this file would show nothing."""
    visit.go().page.evaluate("new Image().src = 'http://127.0.0.1:59999/elsewhere.png'; console.error('a complaint')")
    visit.page.wait_for_timeout(300)
    assert visit.strangers() == ["http://127.0.0.1:59999/elsewhere.png"]
    assert "error: a complaint" in visit.complaints
    visit.asked.clear()
    visit.complaints.clear()


def test_map_and_matrix_are_drawn_and_looked_into_by_keys(visit: Visit) -> None:
    for route in ("#/map/alpha", "#/map/alpha?view=dots", "#/matrix/alpha/conv2"):
        visit.go(route)
        visit.page.wait_for_timeout(300)
        assert shades(visit) > 20, route
    visit.page.focus("main canvas")
    visit.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert "drive each other" in visit.page.inner_text(".said")


def test_search_finds_arrows_walk_and_back_leads_back(visit: Visit) -> None:
    visit.go().press("/")
    visit.page.keyboard.type("alpah conv2")
    visit.press("Enter").wait("#/l/alpha/conv2")
    visit.all(".wallrow a").first.click()
    visit.wait("#/f/alpha/conv2/0").press("ArrowRight").wait("#/f/alpha/conv2/1")
    visit.page.go_back()
    visit.wait("#/f/alpha/conv2/0")
    visit.press("ArrowUp").wait("#/l/alpha/conv2?at=0")
    visit.go("#/f/alpha/conv2/1").press("b")
    assert visit.go("#/bookmarks").all(".marked").count() == 1
