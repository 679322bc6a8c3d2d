"""Floats become 8-bit PNGs in one place, the same values the same bytes."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_atlas import picture
from PIL import Image

from atlas.store.images import sha256_of, to_pil, write_image


def test_what_is_written_is_read_as_the_same_8_bit_values(tmp_path):
    image = picture(3, 24)
    write_image(tmp_path / "x.png", image)
    with Image.open(tmp_path / "x.png") as opened:
        assert (opened.format, opened.mode, opened.size) == ("PNG", "RGB", (24, 24))
        read = np.asarray(opened)
    assert np.array_equal(read, np.rint(image * 255).astype(np.uint8).transpose(1, 2, 0))
    assert np.abs(read.transpose(2, 0, 1) / 255 - image).max() <= 0.5 / 255 + 1e-7


@given(st.integers(0, 255))
def test_every_8_bit_value_survives(value):
    image = np.full((3, 1, 2), np.float32(value / 255))
    assert to_pil(image).getpixel((1, 0)) == (value,) * 3


def test_colours_and_axes_are_where_they_belong_and_values_are_clipped():
    image = np.zeros((3, 2, 4), np.float32)
    image[0, 0, 3], image[1, 1, 0], image[2, 1, 3] = 7.5, 0.5, -2
    drawn = to_pil(image)
    assert drawn.size == (4, 2)
    assert [drawn.getpixel(at) for at in ((3, 0), (0, 1), (3, 1))] == [(255, 0, 0), (0, 128, 0), (0, 0, 0)]


def test_the_same_values_give_the_same_bytes_and_the_hash_is_of_them(tmp_path):
    image = picture(5, 20)
    hashes = [write_image(tmp_path / name, values) for name, values in (("a", image), ("b", image.copy()))]
    assert hashes[0] == hashes[1] == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert sha256_of(tmp_path / "a") == sha256_of(tmp_path / "b") == hashes[0]
    image[0, 3, 3] += 0.01
    assert write_image(tmp_path / "c", image) != hashes[0]
    strided = np.asfortranarray(picture(5, 20))
    assert write_image(tmp_path / "d", strided) == hashes[0]


@pytest.mark.parametrize("shape", [(1, 8, 8), (8, 8), (2, 3, 8, 8)])
def test_what_is_no_image_is_not_written(tmp_path, shape):
    with pytest.raises((ValueError, TypeError)):
        write_image(tmp_path / "x.png", np.zeros(shape, np.float32))
    assert list(tmp_path.iterdir()) == []
