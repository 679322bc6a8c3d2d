"""Where the pixels of the shown square lie on the picture."""

import numpy as np
import pytest
from PIL import Image

from atlas.ask.view import box_on_picture, square
from atlas.zoo.receptive_field import Box


@pytest.mark.parametrize(
    ("box", "side", "size", "wanted"),
    [
        (Box(3, 5, 20, 9), 64, (64, 64), Box(3, 5, 20, 9)),
        (Box(0, 0, 64, 64), 64, (200, 100), Box(50, 0, 150, 100)),
        (Box(0, 0, 64, 64), 64, (100, 201), Box(0, 50, 100, 151)),
        (Box(16, 0, 32, 16), 64, (640, 427), Box(213, 0, 320, 107)),
        (Box(1, 1, 2, 2), 64, (32, 32), Box(0, 0, 1, 1)),
    ],
)
def test_box_on_picture(box: Box, side: int, size: tuple[int, int], wanted: Box) -> None:
    assert box_on_picture(box, side, size) == wanted


def test_what_lies_in_a_box_of_the_square_lies_in_its_box_on_the_picture() -> None:
    picture = Image.new("RGB", (300, 120))
    picture.paste((255, 255, 255), (150, 30, 180, 60))
    shown = square(picture, 40)[0, 0].numpy()
    y, x = np.nonzero(shown > 0.5)
    box = box_on_picture(Box(x.min(), y.min(), x.max() + 1, y.max() + 1), 40, picture.size)
    assert box == (150, 30, 180, 60)


def test_a_square_of_the_shown_size_is_shown_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    assert np.array_equal(np.rint(square(Image.fromarray(pixels), 48)[0].permute(1, 2, 0).numpy() * 255), pixels)
