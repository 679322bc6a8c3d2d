"""The map and the matrix: what lies under the pointer, what a click opens, and the keyboard."""

import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from made_atlas import LAYERS, Made, make_atlas
from made_similarity import write_maps, write_similarity
from playwright.sync_api import Browser

from atlas.report.colours import ColourRange
from atlas.report.site import matrix_data
from atlas.report.site.write import write_site
from tests.browser.visit import Visit, visiting

pytestmark = pytest.mark.job


def point_at_some(visit: Visit) -> str:
    """Move along the middle of the canvas until something stands under the pointer; the text of what is shown of it."""
    box = visit.all("main canvas").bounding_box()
    for x in range(100, int(box["width"]), 24):
        visit.page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
        visit.page.wait_for_timeout(90)
        if visit.all(".peek:not([hidden])").count():
            return visit.page.inner_text(".peek")
    raise AssertionError("nothing stands on the middle line")


def test_pointing_at_the_map_shows_a_feature_and_a_click_opens_it(visit: Visit) -> None:
    visit.go("#/map/alpha")
    visit.page.wait_for_load_state("networkidle")
    shown = point_at_some(visit)
    visit.page.mouse.down()
    visit.page.mouse.up()
    visit.page.wait_for_function("location.hash.startsWith('#/f/')")
    layer, channel = visit.route.split("?")[0].split("/")[-2:]
    assert layer in shown
    assert f": {channel}" in shown


INK = """() => {
    const copy = Object.assign(document.createElement("canvas"), { width: 40, height: 24 }).getContext("2d");
    copy.drawImage(document.querySelector("main canvas"), 0, 0, 40, 24);
    return copy.getImageData(0, 0, 40, 24).data.filter((part, k) => k % 4 === 3 && part).length / 960;
}"""


@pytest.mark.parametrize("look", ["grid", pytest.param("dots", marks=pytest.mark.slow)])
def test_the_map_is_never_blank(served_visit: Visit, look: str) -> None:
    """From a server, where a page may read what it has drawn."""
    visit = served_visit.go(f"#/map/alpha?view={look}")
    visit.page.wait_for_load_state("networkidle")
    visit.page.wait_for_timeout(400)
    box = visit.all("main canvas").bounding_box()
    inks = [visit.page.evaluate(INK)]
    for x, y in ((0.02, 0.02), (0.9, 0.2), (0.5, 0.97)):
        visit.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        for _ in range(6):
            visit.page.mouse.wheel(0, -400)
        visit.page.wait_for_timeout(350)
        inks.append(visit.page.evaluate(INK))
        visit.page.focus("main canvas")
        visit.press("0")
    assert min(inks) > (0.5 if look == "grid" else 0.005)


def test_what_is_found_is_lit_and_a_feature_leads_to_its_place(visit: Visit) -> None:
    visit.go("#/f/alpha/conv2/7").page.click("text=On the map")
    visit.wait("#/map/alpha?at=conv2%3A7")
    visit.page.wait_for_function("document.querySelector('main .said').textContent.includes('alpha/conv2:7')")
    visit.page.fill(".mapfind", "conv1")
    visit.page.wait_for_function("document.querySelector('main .said').textContent === '7 of 18 features are lit.'")
    assert visit.route.endswith("find=conv1")
    for address in ("conv2:7", "alpha/conv1:0"):
        visit.page.fill(".mapfind", address)
        visit.page.wait_for_function("document.querySelector('main .said').textContent === '1 of 18 features is lit.'")
        visit.page.fill(".mapfind", "conv1")
        visit.page.wait_for_function("document.querySelector('main .said').textContent.startsWith('7 of 18')")
    visit.go().go("#/map/alpha?find=conv1")
    visit.page.wait_for_timeout(100)
    assert visit.page.inner_text("main .said") == "7 of 18 features are lit."
    visit.page.fill(".mapfind", "no such thing")
    visit.page.wait_for_function("document.querySelector('main .said').textContent.startsWith('0 of 18')")


def test_a_layer_of_the_map_is_pressed_and_linked(visit: Visit) -> None:
    visit.go("#/map/alpha")
    visit.page.click(".layerkey:has-text('conv2')")
    assert visit.route == "#/map/alpha?layer=conv2"
    assert visit.page.get_attribute(".layerkey:has-text('conv2')", "aria-pressed") == "true"


def test_on_a_map_that_is_shown_whole_arrows_move_the_frame(visit: Visit) -> None:
    framed = "document.querySelector('main .said a')?.getAttribute('href')"
    visit.go().go("#/map/alpha")
    visit.page.wait_for_function(framed)
    seen = [visit.page.evaluate(framed)]
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        visit.press(key)
        seen.append(visit.page.evaluate(framed))
    assert len(set(seen)) == 4
    visit.press("Enter").wait(seen[-1])


@pytest.mark.parametrize("keys", [["+", "+", "ArrowRight", "ArrowDown"], ["-", "0"]])
def test_the_map_is_walked_by_keys_and_enter_opens(visit: Visit, keys: list[str]) -> None:
    visit.go("#/map/alpha")
    visit.page.focus("main canvas")
    visit.press(*keys)
    assert visit.route.startswith("#/map/")
    visit.press("Enter")
    visit.page.wait_for_function("location.hash.startsWith('#/f/')")


@pytest.mark.parametrize("look", ["grid", "dots"])
def test_the_frame_of_the_map_stays_and_what_is_told_of_it_is_what_enter_opens(visit: Visit, look: str) -> None:
    framed = "document.querySelector('main .said a')?.getAttribute('href')"
    visit.go().go(f"#/map/alpha?view={look}")
    assert visit.page.evaluate("document.activeElement === document.querySelector('main canvas')")
    visit.page.wait_for_function(framed)
    box = visit.all("main canvas").bounding_box()
    visit.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    for act in ("wheel", "+", "ArrowRight", "-"):
        visit.page.mouse.wheel(0, -600) if act == "wheel" else visit.press(act)
        visit.page.wait_for_timeout(60)
    told = visit.page.evaluate(framed)
    visit.press("Enter").wait(told)
    visit.go(f"#/map/alpha?view={look}&at=conv2:7")
    seventh = f"/f/alpha/conv2/7?from={quote(f'map/alpha?view={look}', safe='')}&n=conv2%3A7"
    visit.page.wait_for_function(f"{framed} === '#{seventh}'")
    for _ in range(3):
        visit.page.click(".zoomer >> nth=0")
    visit.page.wait_for_timeout(60)
    assert visit.page.evaluate(framed) == f"#{seventh}", "still in view"
    visit.go("#/bookmarks").go(f"#/map/alpha?view={look}")
    visit.page.wait_for_function(framed)
    told = visit.page.evaluate(framed)
    visit.press("Enter").wait(told)


def test_the_trail_of_a_map_is_of_what_was_compared(browser: Browser, tmp_path: Path) -> None:
    """Not of a layer that was made later."""
    paths = make_atlas(tmp_path / "later", LAYERS[:1])
    write_similarity(paths)
    write_maps(paths)
    make_atlas(paths.root, LAYERS[:2])
    write_site(paths)
    with visiting(browser, paths.root) as visit:
        visit.go("#/f/alpha/conv1/7?from=map%2Falpha&n=conv1%3A7")
        assert visit.page.inner_text("nav.links a[rel='up']") == "7 of 7, Map of alpha"
        assert visit.all("nav.links a[rel='next']").count() == 0


@pytest.mark.parametrize("look", ["grid", "dots"])
def test_a_feature_opened_on_the_map_leads_back_to_the_map_as_it_was_left(visit: Visit, look: str) -> None:
    visit.go().go(f"#/map/alpha?view={look}&layer=conv2").press("+", "ArrowRight", "Enter")
    visit.page.wait_for_function("location.hash.startsWith('#/f/')")
    opened = visit.wait(visit.route).route
    assert "18, Map of alpha" in visit.page.inner_text("nav.links a[rel='up']")
    place = opened.rpartition("&n=")[2]
    visit.press("Escape").wait(f"#/map/alpha?view={look}&layer=conv2&at={place}")
    visit.page.wait_for_function(f"document.querySelector('main .said a')?.getAttribute('href') === '{opened}'")
    visit.press("Enter").wait(opened).press("ArrowLeft")  # what lies before it, in order of number
    visit.page.wait_for_function(f"location.hash !== '{opened}'")
    before = visit.route.rpartition("&n=")[2]
    visit.press("ArrowUp").wait(f"#/map/alpha?view={look}&layer=conv2&at={before}")


def test_pointing_at_the_matrix_shows_the_pair_and_a_click_compares_it(visit: Visit) -> None:
    visit.go("#/matrix/alpha/conv2")
    box = visit.all("main canvas").bounding_box()
    visit.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"])
    visit.page.wait_for_selector(".peek:not([hidden])")
    assert visit.all(".peek img").count() == 2
    visit.page.mouse.down()
    visit.page.mouse.up()
    visit.page.wait_for_function("location.hash.startsWith('#/compare')")


def test_the_matrix_is_walked_by_keys(visit: Visit) -> None:
    visit.go("#/matrix/alpha/conv2")
    visit.page.focus("main canvas")
    visit.press("ArrowRight", "ArrowRight", "ArrowDown")
    said = visit.page.inner_text(".said")
    assert re.search(r"conv2:\d+ and conv2:\d+ · drive each other: −?\d", said)
    visit.press("Enter")
    visit.page.wait_for_function("location.hash.startsWith('#/compare')")


def test_of_a_wide_matrix_tiles_are_loaded_where_one_looks(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WIDE", 10), ("REDUCED", 6), ("TILE", 5)):
        monkeypatch.setattr(matrix_data, name, value)
    monkeypatch.setattr(matrix_data, "colour_range", lambda _: ColourRange(-2.0, 2.0, two_sided=True))
    paths = make_atlas(tmp_path / "a", [Made("net", "wide", 12, 12, metrics=("l1",))])
    write_similarity(paths)
    write_maps(paths)
    write_site(paths)
    matrix = np.load(paths.map("net", "wide", "sym").with_name("sym.npy"))
    with visiting(browser, paths.root) as visit:
        visit.go("#/matrix/net/wide").page.wait_for_load_state("networkidle")
        tiles = {url.rpartition("/matrix-sym-")[2] for url in visit.asked if "/matrix-sym-" in url}
        assert tiles == {f"{row}-{column}.js" for row in range(3) for column in range(row, 3)}
        visit.press("/").page.keyboard.type("dead")
        assert visit.page.inner_text(".found") == "No feature is dead."
        visit.press("Escape").page.focus("main canvas")
        visit.press(*["ArrowRight"] * 8, "ArrowDown")
        value = re.search(r"drive each other: (−?[\d.]+)", visit.page.inner_text(".said"))
        legend = " ".join(visit.page.inner_text(".legend").split())
        assert legend == "≤ −2.00 ≥ 2.00 drive each other clipped there: values go from −5.00 to 4.33"
        assert value and float(value[1].replace("−", "-")) == pytest.approx(matrix[1, 8], abs=0.05)
