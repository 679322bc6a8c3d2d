"""An atlas that is half done has a site that says what is missing."""

from pathlib import Path

import pytest
from made_atlas import LAYERS, Made, make_atlas
from playwright.sync_api import Browser

from atlas.report.site.write import write_site
from tests.browser.visit import visiting

pytestmark = pytest.mark.job


def test_without_similarity_the_pages_say_how_to_get_it(browser: Browser, tmp_path: Path) -> None:
    write_site(make_atlas(tmp_path / "a", LAYERS))
    with visiting(browser, tmp_path / "a") as visit:
        visit.go()
        assert "atlas similarity" in visit.page.inner_text(".notes")
        assert visit.all(".relationtable").count() == 0
        visit.go("#/f/alpha/conv1/2")
        assert "atlas similarity" in visit.page.inner_text("#main")
        visit.go("#/map/alpha")
        assert "atlas similarity" in visit.page.inner_text("#main")
        visit.go("#/matrix/alpha/conv1")
        assert "atlas similarity" in visit.page.inner_text("#main")
        visit.go("#/compare?a=alpha%2Fconv1&b=alpha%2Fconv2")
        assert visit.heading == "Two layers"


@pytest.mark.slow
def test_every_page_of_what_is_half_done_is_shown(browser: Browser, tmp_path: Path) -> None:
    layers = (
        *LAYERS,
        Made("beta net", "late", 5, 0, index=1),
        Made("beta net", "lost", 3, 3, index=2, failed=(0, 1, 2)),
    )
    write_site(make_atlas(tmp_path / "a", layers))
    with visiting(browser, tmp_path / "a") as visit:
        waiting, seen = {"#/", "#/compare?a=beta%20net%2Flate&b=beta%20net%2Flost"}, set()
        while waiting:
            route = waiting.pop()
            seen.add(route)
            visit.go(route)
            assert visit.heading not in ("Not in this atlas", "This page cannot be shown"), route
            waiting |= {link for link in visit.pages() if not link.startswith("#/compare")} - seen
        assert "#/f/beta%20net/late/4" in seen
        visit.go().press("/")
        visit.page.keyboard.type("block 18")
        assert visit.all(".found .thumb.left").count() >= 1
        visit.press("Escape")
        for part in (0, 0.2, 0.4, 0.6, 0.8, 0.999):
            visit.go().page.evaluate("(part) => { Math.random = () => part; }", part)
            visit.press("r").page.wait_for_function("document.querySelector('#main').dataset.route.startsWith('#/f/')")
            assert visit.all(".figures img").count() == 1


def test_without_an_image_it_says_so(browser: Browser, tmp_path: Path) -> None:
    write_site(make_atlas(tmp_path / "a", [Made("net", "conv", 4, 0)]))
    with visiting(browser, tmp_path / "a") as visit:
        visit.go()
        assert "no image yet" in visit.page.inner_text("#main")
        visit.go("#/l/net/conv")
        visit.go("#/f/net/conv/1")
        assert "not made yet" in visit.page.inner_text("#main")


def test_a_site_whose_data_is_gone_says_what_writes_it(browser: Browser, tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", LAYERS)
    write_site(paths)
    next(paths.site.glob("data/layers/alpha/conv1/*/layer.js")).unlink()
    with visiting(browser, tmp_path / "a") as visit:
        visit.go("#/l/alpha/conv1")
        assert visit.heading == "This page cannot be shown"
        assert "atlas site" in visit.page.inner_text("#main")
        visit.complaints.clear()  # that a file is gone is what the browser complains of
