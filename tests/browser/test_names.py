"""Names come from users' models: they are text, and their files lie inside the site."""

from pathlib import Path

import pytest
from made_atlas import Made, make_atlas, write_names
from made_similarity import write_similarity
from playwright.sync_api import Browser

from atlas.report.site.write import write_site
from tests.browser.visit import visiting

pytestmark = pytest.mark.job

SCRIPT = "<img src=x onerror=window.hacked=1>"
HOSTILE = (
    Made("<script>window.hacked=1</script>", "../../x", 6, 6),
    Made("<script>window.hacked=1</script>", SCRIPT, 5, 5, index=1),
    Made("a b%2F", "l/..;'\"`${1}\u2028", 5, 5, dead=(2,)),
)


def test_hostile_names_are_text_on_every_page(browser: Browser, tmp_path: Path) -> None:
    root = tmp_path / "deep" / "hostile #1 50%"
    paths = make_atlas(root, HOSTILE)
    write_similarity(paths)
    write_names(
        paths, {f"{HOSTILE[0].model}/{HOSTILE[0].layer}:1": SCRIPT, f"{HOSTILE[2].model}/{HOSTILE[2].layer}:0": SCRIPT}
    )
    before = {path for path in tmp_path.rglob("*") if root not in path.parents}
    write_site(paths)
    assert {path for path in tmp_path.rglob("*") if root not in path.parents} == before
    with visiting(browser, root) as visit:
        waiting, seen = {"#/"}, set()
        while waiting:
            route = waiting.pop()
            seen.add(route)
            visit.go(route)
            assert visit.heading not in ("Not in this atlas", "This page cannot be shown"), route
            assert visit.page.evaluate("window.hacked") is None
            assert visit.page.evaluate("document.querySelectorAll('#main script, #bar script').length") == 0
            waiting |= {link for link in visit.pages() if not link.startswith("#/compare")} - seen
        assert len([route for route in seen if route.startswith("#/f/")]) >= 16
        visit.go("#/").press("/")
        visit.page.keyboard.type("img 3")
        visit.press("Enter")
        visit.page.wait_for_function("(name) => document.querySelector('h1').textContent.includes(name)", arg=SCRIPT)
        assert SCRIPT in visit.page.title()


def test_classes_are_found_and_shown_by_name(browser: Browser, tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a")
    write_similarity(paths)
    write_names(paths, {"alpha/conv2:3": "zebra", "alpha/conv2:4": "tabby, tabby cat", "beta net/block/0:19": "quail"})
    write_site(paths)
    with visiting(browser, paths.root) as visit:
        visit.go("#/l/alpha/conv2").page.wait_for_selector(".wallrow")
        captions = visit.page.locator(".wallrow .caption")
        assert [text.strip() for text in captions.all_inner_texts()[2:5]] == ["2", "3\nzebra", "4\ntabby,…by cat"]
        assert captions.nth(4).get_attribute("title") == "alpha/conv2:4, tabby, tabby cat"
        for text, heading in (("ZEB", "conv2:3"), ("cat tabby", "conv2:4"), ("block quail", "block/0:19")):
            visit.go("#/").press("/")
            visit.page.keyboard.type(text)
            visit.press("Enter")
            visit.page.wait_for_function("(h) => document.querySelector('h1').textContent === h", arg=heading)
        visit.go("#/").press("/").page.keyboard.type("zbera")
        visit.press("Enter").wait("#/f/alpha/conv2/3")
        assert visit.page.locator("header .lead").inner_text() == "zebra, a feature of alpha"
        assert (
            visit.page.locator("img.full").first.get_attribute("alt") == "Image that drives alpha/conv2:3, zebra (l1)"
        )
        assert "4\ntabby, tabby cat" in visit.page.locator(".neighborlist").first.inner_text()
