"""The map and the matrix: what lies under the pointer, what a click opens, and the keyboard."""

import re

import pytest

from tests.browser.visit import Visit

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
    layer, channel = visit.route.split("/")[-2:]
    assert layer in shown
    assert f": {channel}" in shown


def test_a_layer_of_the_map_is_pressed_and_linked(visit: Visit) -> None:
    visit.go("#/map/alpha")
    visit.page.click(".layerkey:has-text('conv2')")
    assert visit.route == "#/map/alpha?layer=conv2"
    assert visit.page.get_attribute(".layerkey:has-text('conv2')", "aria-pressed") == "true"


@pytest.mark.parametrize("keys", [["+", "+", "ArrowRight", "ArrowDown"], ["-", "0"]])
def test_the_map_is_walked_by_keys_and_enter_opens(visit: Visit, keys: list[str]) -> None:
    visit.go("#/map/alpha")
    visit.page.focus("main canvas")
    visit.press(*keys)
    assert visit.route.startswith("#/map/")
    visit.press("Enter")
    visit.page.wait_for_function("location.hash.startsWith('#/f/')")


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
