"""What a reader without a mouse, or with other eyes, meets: axe-core finds nothing on any page, and pages announce themselves."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.visit import Visit, visiting

pytestmark = pytest.mark.job

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FOUND = """(rules) => axe.run(document, {runOnly: rules, preload: false, resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.map((one) => one.html.slice(0, 200)).slice(0, 3).join(" ")}`))"""
PAGES = (
    *("#/", "#/l/alpha/conv1?order=cluster", "#/l/alpha/conv2?order=score&size=small", "#/l/beta%20net/block%2F0"),
    *("#/f/alpha/conv2/1", "#/f/alpha/conv1/3", "#/f/alpha/conv2/5", "#/map/alpha", "#/map/alpha?view=dots"),
    *("#/matrix/alpha/conv2", "#/compare?a=alpha%2Fconv1%3A1&b=alpha%2Fconv2%3A2", "#/compare"),
    *("#/compare?a=alpha%2Fconv1&b=alpha%2Fconv2", "#/compare?a=alpha%2Fconv1%3A1", "#/all?state=dead", "#/lists"),
    *("#/lists/pairs", "#/bookmarks", "#/l/alpha/conv3"),
)
MAIN = ("#/", "#/f/alpha/conv2/1", "#/lists/pairs")
# of each layer's dot, how it stands out from what lies behind it (WCAG's relative luminance)
CONTRASTS = """() => {
    const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
    const ground = light(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll(".layerkey .dot")].map((dot) => light(getComputedStyle(dot).backgroundColor))
        .map((dot) => (Math.max(dot, ground) + 0.05) / (Math.min(dot, ground) + 0.05));
}"""


def violations(page: Page) -> list[str]:
    return page.evaluate(FOUND, RULES)


@pytest.mark.parametrize(
    ("scheme", "pages"),
    [
        ("light", MAIN),
        pytest.param("light", PAGES, marks=pytest.mark.slow),
        pytest.param("dark", PAGES, marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_on_any_page(browser: Browser, made: Path, scheme: str, pages: tuple[str, ...]) -> None:
    with visiting(browser, made, color_scheme=scheme, reduced_motion="reduce") as visit:
        visit.go().page.evaluate(AXE.read_text(encoding="utf-8"))
        wrong = {route: violations(visit.go(route).page) for route in pages}
        assert {route: found for route, found in wrong.items() if found} == {}
        contrasts = visit.go("#/map/alpha").page.evaluate(CONTRASTS)
        assert len(contrasts) == 2 and min(contrasts) >= 3
        for key in "/?":
            visit.press(key).page.wait_for_selector("dialog")
            assert violations(visit.page) == [], f"after {key}"
            visit.press("Escape").page.wait_for_selector("dialog", state="detached")


def test_another_page_is_announced_and_tab_begins_there(visit: Visit) -> None:
    focus = "document.activeElement.textContent.trim()"
    visit.go().go("#/l/alpha/conv1")
    assert visit.page.evaluate("document.activeElement.tagName") == "H1"
    assert visit.page.inner_text("#told") == "conv1 – made"
    visit.press("Tab")
    assert visit.page.evaluate("Boolean(document.activeElement.closest('#main'))")
    visit.go("#/f/alpha/conv1/2")
    assert visit.page.evaluate(focus) == "conv1:2"


def test_embedded_it_is_the_page_alone(browser: Browser, made: Path) -> None:
    with visiting(browser, made, (made.resolve() / "site/index.html").as_uri() + "#/f/alpha/conv2/1?embed=1") as visit:
        visit.page.goto(visit.home)
        visit.page.wait_for_selector(".sentence")
        assert not visit.all("#bar, .foot, .links").locator("visible=true").count()
        assert (
            visit.page.evaluate("document.querySelector('.card').target || document.querySelector('base').target")
            == "_blank"
        )
