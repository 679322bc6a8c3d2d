"""Floats become 8-bit PNGs in one place, the same values the same bytes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_atlas import picture
from PIL import Image

from atlas.store.images import read_note, read_picture, sha256_of, to_pil, write_pixels


def test_what_is_written_is_read_as_the_same_8_bit_values(tmp_path):
    image = picture(3, 24)
    write_pixels(tmp_path / "x.png", to_pil(image))
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
    hashes = [write_pixels(tmp_path / name, to_pil(values)) for name, values in (("a", image), ("b", image.copy()))]
    assert hashes[0] == hashes[1] == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert sha256_of(tmp_path / "a") == sha256_of(tmp_path / "b") == hashes[0]
    image[0, 3, 3] += 0.01
    assert write_pixels(tmp_path / "c", to_pil(image)) != hashes[0]
    strided = np.asfortranarray(picture(5, 20))
    assert write_pixels(tmp_path / "d", to_pil(strided)) == hashes[0]


@pytest.mark.parametrize("shape", [(2, 8, 8), (8, 8), (2, 3, 8, 8)])
def test_what_is_no_image_is_not_written(tmp_path, shape):
    with pytest.raises((ValueError, TypeError)):
        write_pixels(tmp_path / "x.png", to_pil(np.zeros(shape, np.float32)))
    assert list(tmp_path.iterdir()) == []


def gray_16(path: Path) -> None:
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(path)


def floats(path: Path) -> None:
    Image.fromarray(np.array([[0.0, 0.5, 7.0]], np.float32)).save(path)


def transparent(path: Path) -> None:
    pixels = np.array([[[0, 0, 0, 255], [0, 0, 0, 127], [9, 9, 9, 0]]], np.uint8)
    Image.fromarray(pixels).save(path)


def palette(path: Path) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([0, 0, 0, 128, 128, 128, 1, 2, 3])
    for x in range(3):
        image.putpixel((x, 0), x)
    image.save(path, transparency=2)


def gray_with_a_hole(path: Path) -> None:
    Image.fromarray(np.array([[0, 128, 77]], np.uint8)).save(path, transparency=77)


def one_bit(path: Path) -> None:
    Image.fromarray(np.array([[0, 128, 255]], np.uint8)).save(path)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("a.png", gray_16),
        ("b.tif", gray_16),
        ("c.tif", floats),
        ("d.png", transparent),
        ("e.webp", transparent),
        ("f.png", palette),
        ("g.gif", palette),
        ("h.png", gray_with_a_hole),
        ("i.pgm", one_bit),
    ],
)
def test_black_gray_and_white_are_read_as_such_in_every_mode(tmp_path: Path, name: str, draw) -> None:
    """16 bits are scaled, what is transparent lies on white."""
    draw(tmp_path / name)
    read = read_picture(tmp_path / name)
    assert (read.mode, read.size) == ("RGB", (3, 1))
    if name.endswith("webp"):
        assert read.getpixel((2, 0))[0] > 240
        return
    assert np.abs(np.asarray(read, int)[0] - np.array([[0] * 3, [128] * 3, [255] * 3])).max() <= 1


def test_cmyk_is_read_as_colours(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "x.jpg")
    red, green, blue = read_picture(tmp_path / "x.jpg").getpixel((5, 5))
    assert red > 240 and green < 15 and blue < 15


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20))
    image.paste((255, 0, 0), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left side is the top
    image.save(tmp_path / "x.jpg", exif=exif, quality=95)
    read = read_picture(tmp_path / "x.jpg")
    assert read.size == (20, 40)
    assert read.getpixel((10, 5))[0] > 240 and read.getpixel((10, 35))[0] < 15


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("x.gif", "x.webp", "x.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **LOSSLESS.get(name, {}))
        assert read_picture(tmp_path / name).getpixel((3, 3)) == (255, 0, 0)


LOSSLESS = {"x.webp": {"lossless": True}}


def photograph(size: int = 64) -> Image.Image:
    return to_pil(picture(4, size))


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.gif", "x.tif", "x.bmp", "x.ppm"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7])
def test_a_file_that_was_cut_off_is_an_oserror_that_names_it(tmp_path: Path, name: str, share: float) -> None:
    photograph().save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(OSError, match=rf"{name} is no picture that can be read: "):
        read_picture(tmp_path / name)


@pytest.mark.filterwarnings("ignore")  # Pillow's own words on what it finds
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.gif", "x.tif", "x.bmp", "x.ppm"])
def test_damage_anywhere_is_a_picture_or_an_oserror(tmp_path: Path, name: str) -> None:
    """Flipped bytes, most of them where a file says what it is."""
    photograph(24).save(tmp_path / name)
    whole = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    for number in range(150):
        broken = whole.copy()
        reach = min(len(broken), 64) if number % 2 else len(broken)
        broken[random.integers(0, reach, 1 + number % 5)] = random.integers(0, 256, 1 + number % 5)
        (tmp_path / name).write_bytes(broken.tobytes())
        try:
            assert read_picture(tmp_path / name).mode == "RGB"
        except OSError:
            continue


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph().save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(OSError, match=r"x\.png"):
        read_picture(tmp_path / "x.png")


def test_what_is_no_file_is_an_oserror(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.png"):
        with pytest.raises(OSError):
            read_picture(path)


def test_a_picture_bears_a_note_and_the_same_pixels(tmp_path: Path) -> None:
    picture, note = Image.new("RGB", (5, 4), (1, 2, 3)), {"key": "é层", "frames": [1, 2]}
    write_pixels(tmp_path / "a.png", picture, json.dumps(note))
    write_pixels(tmp_path / "b.png", picture)
    assert read_note(tmp_path / "a.png") == note
    with Image.open(tmp_path / "a.png") as noted, Image.open(tmp_path / "b.png") as plain:
        assert noted.tobytes() == plain.tobytes()
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-30])
    (tmp_path / "word.png").write_text("no picture")
    write_pixels(tmp_path / "odd.png", picture, "no JSON")
    names = ("b.png", "cut.png", "word.png", "odd.png", "nowhere.png")
    assert [read_note(tmp_path / name) for name in names] == [None] * 5
