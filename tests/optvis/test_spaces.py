"""Ranges: in and out of each is the same picture, and the model is fed the same whichever is chosen."""

import pytest
import torch

from atlas.optvis.params import GRAY
from atlas.optvis.spaces import RAW, space_of
from tests.small_nets import images

MEAN, DEVIATION = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
SCALE = torch.tensor([MEAN, DEVIATION])[:, :, None, None]
NAMES = ["rgb", "model", "raw"]


@pytest.mark.parametrize("name", NAMES)
def test_what_enters_is_shown(name):
    space, pictures = space_of(name, SCALE), images(2, 7)
    torch.testing.assert_close(space.show(space.enter(pictures)), pictures)


@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_fed_the_picture_as_it_takes_them(name):
    pictures = images(2, 7)
    wanted = torch.stack([(pictures[:, c] - MEAN[c]) / DEVIATION[c] for c in range(3)], 1)
    space = space_of(name, SCALE)
    fed = space.feed(space.enter(pictures))
    torch.testing.assert_close(fed, pictures if name == "raw" else wanted)


def test_rgb_lives_in_its_own_range_and_model_in_the_models():
    white = torch.ones(1, 3, 2, 2)
    assert torch.equal(space_of("rgb", SCALE).enter(white), white)
    assert space_of("model", SCALE).enter(white)[0, :, 0, 0].tolist() == pytest.approx([3, 2, 4 / 3])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gray_is_shown_as_gray(name, dtype):
    space, like = space_of(name, SCALE), images(2, 7).to(dtype)
    gray = space.gray(GRAY, like)
    assert (gray.shape, gray.dtype) == ((3, 1, 1), dtype)
    torch.testing.assert_close(space.show(gray.expand(1, 3, 4, 4)), torch.full((1, 3, 4, 4), GRAY, dtype=dtype))


def test_an_unknown_range_is_refused():
    with pytest.raises(KeyError, match="bgr"):
        space_of("bgr", SCALE)
    assert space_of("raw", SCALE) is RAW
