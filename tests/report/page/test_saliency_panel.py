"""What a network looks at, drawn: bright where a map is, the picture elsewhere, and no word beyond its room."""

import numpy as np
import pytest
from PIL import Image

from atlas.config.choices import MAPS
from atlas.report.colours import ONE_SIDED
from atlas.report.page.heat import heat, over
from atlas.report.page.paper import Heading, Picture
from atlas.report.page.saliency_panel import METHODS, MethodMap, draw_saliency
from tests.report.page.test_panels import assert_tidy

SIDE = 60


def spot() -> np.ndarray:
    """A map that is bright in a square, and faint elsewhere."""
    gray = np.full((SIDE, SIDE), 10, np.uint8)
    gray[10:30, 20:50] = 200
    return gray


def photograph() -> np.ndarray:
    return np.asarray(Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")) // 2 + 60


def test_heat_goes_from_the_darkest_colour_to_the_lightest() -> None:
    colours = np.asarray(heat(spot()))
    assert tuple(colours[0, 0]) == ONE_SIDED[0] and tuple(colours[20, 30]) == ONE_SIDED[-1]


def test_over_a_picture_colour_is_where_it_matters_and_gray_elsewhere() -> None:
    mixed = np.asarray(over(photograph(), spot()), int)
    spread = mixed.max(2) - mixed.min(2)
    assert spread[15:25, 25:45].min() > 30, "coloured"
    assert spread[45:, :].max() == 0, "gray"
    assert mixed[15:25, 25:45].mean() > mixed[45:, :].mean(), "and brighter"
    light = mixed[12:28, 35, 0]
    assert (np.diff(light) > 0).mean() > 0.5, "the picture's shade still shows"


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_map_that_is_the_same_everywhere_shows_nothing(value: int) -> None:
    flat = np.full((SIDE, SIDE), value, np.uint8)
    assert (np.asarray(heat(flat)) == ONE_SIDED[0]).all()
    mixed = np.asarray(over(photograph(), flat), int)
    assert (mixed.max(2) == mixed.min(2)).all()


def test_a_single_bright_pixel_is_shown() -> None:
    gray = np.zeros((SIDE, SIDE), np.uint8)
    gray[7, 9] = 255
    assert tuple(np.asarray(heat(gray))[7, 9]) == ONE_SIDED[-1]


def test_every_method_has_a_name_and_a_sentence() -> None:
    assert tuple(METHODS) == MAPS


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("title", ["daisy, 93 %", "lycaenid, lycaenid butterfly " * 4 + "12 %"])
def test_a_panel_has_the_picture_and_each_map_alone_and_over_it(count: int, title: str) -> None:
    maps = [MethodMap(method, spot()) for method in MAPS[:count]]
    figure = draw_saliency(photograph(), maps, heading=Heading(title, "folder/of/a/picture.jpg: a_model, class 985"))
    assert_tidy(figure)
    assert len(figure.findobj(Picture)) == 1 + 2 * count
