"""Probes: pictures of a folder by name and time, drawn ones by number, and any of them read as a square."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from made_atlas import LAYERS, make_atlas
from PIL import Image

from atlas.config.schema import ProbeConfig
from atlas.records import ModelCard
from atlas.similarity.atlas_images import Picture, atlas_images
from atlas.similarity.probe.pictures import STREAM_PICTURES, PictureReader, pictures_of
from atlas.store.index import INDEX, write_rows

KINDS = {"a.jpg": {}, "b.png": {}, "c.webp": {}, "d.gif": {}, "e.TIFF": {}, "f.bmp": {}, "g.JPEG": {}, "h.ppm": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of every kind, some in folders of folders, among files that are none."""
    folder = tmp_path / "pictures"
    for number, name in enumerate(KINDS):
        parent = folder / ("deep/er" if number % 3 == 0 else "up" if number % 3 == 1 else ".")
        parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (200, 20 * number, 30)).save(parent / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / "noise.npy").write_bytes(b"no picture")
    (folder / "folder.png").mkdir()
    return folder


def test_a_folder_is_searched_with_its_folders_and_sorted(folder: Path) -> None:
    pictures = pictures_of(ProbeConfig("natural", str(folder)))
    names = [picture.image for picture in pictures]
    assert len(names) == len(KINDS)
    assert {Path(name).name for name in names} == set(KINDS)
    assert names == sorted(names, key=lambda name: folder / name)
    assert all(picture.id.startswith(f"{picture.image} ") for picture in pictures)
    assert all((picture.feature, picture.scale, picture.raw) == (None, 1.0, False) for picture in pictures)
    assert pictures == pictures_of(ProbeConfig("natural", f"{folder}/"))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_read(folder: Path, name: str) -> None:
    reader = PictureReader(probe := ProbeConfig("natural", str(folder)), folder)
    (picture,) = (picture for picture in pictures_of(probe) if picture.image.endswith(name))
    image = reader.read(picture, 24)
    assert (image.mode, image.size) == ("RGB", (24, 24))
    assert np.abs(np.asarray(image, float).mean((0, 1)) - [200, 20 * list(KINDS).index(name), 30]).max() < 5


def test_another_picture_under_a_name_is_another_picture(folder: Path) -> None:
    probe = ProbeConfig("natural", str(folder))
    before = {picture.image: picture.id for picture in pictures_of(probe)}
    changed, touched, gone, same = sorted(before)[:4]
    Image.new("RGB", (31, 21)).save(folder / changed)
    os.utime(folder / touched, ns=(1, 1))
    (folder / gone).unlink()
    after = {picture.image: picture.id for picture in pictures_of(probe)}
    assert after.keys() == before.keys() - {gone}
    assert {name for name in after if after[name] != before[name]} == {changed, touched}
    assert after[same] == before[same]


def test_photographs_of_packages_are_read_and_have_the_same_names_on_every_machine(tmp_path: Path) -> None:
    probe = ProbeConfig("natural", "installed:")
    china, flower, *_ = pictures_of(probe)
    assert (china.image, flower.image) == ("sklearn/china.jpg", "sklearn/flower.jpg")
    assert china.id == f"sklearn/china.jpg {196653:x}", "no time: that of an installed file says nothing"
    reader = PictureReader(probe, tmp_path)
    assert reader.is_here() and reader.read(china, 24).size == (24, 24)
    with pytest.raises(OSError, match=r"skimage/gone.png: no package that is installed here"):
        reader.read(Picture("", "skimage/gone.png"), 24)


def test_an_empty_folder_has_no_pictures(tmp_path: Path) -> None:
    assert pictures_of(ProbeConfig("natural", str(tmp_path))) == []


def test_a_file_that_is_gone_or_none_is_an_oserror_that_names_it(folder: Path) -> None:
    reader = PictureReader(ProbeConfig("natural", str(folder)), folder)
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("I am no picture, whatever my name says.")
    for name in ("zero.jpg", "text.jpg", "gone.jpg"):
        with pytest.raises(OSError, match=name):
            reader.read(Picture(name, name), 24)


def test_what_is_longer_than_high_is_cut_evenly(tmp_path: Path) -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, :10, 0], stripes[:, 10:20, 1], stripes[:, 20:, 2] = 255, 255, 255
    Image.fromarray(stripes).save(tmp_path / "x.png")
    Image.fromarray(stripes.transpose(1, 0, 2).copy()).save(tmp_path / "y.png")
    reader = PictureReader(ProbeConfig("natural", str(tmp_path)), tmp_path)
    for name in ("x.png", "y.png"):
        image = np.asarray(reader.read(Picture("", name), 10))
        assert (image[..., 1] == 255).all() and not image[..., [0, 2]].any(), "the middle third"


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (3, 2), (640, 480)])
@pytest.mark.parametrize("side", [1, 33, 64])
def test_pictures_of_any_shape_become_squares(tmp_path: Path, size: tuple[int, int], side: int) -> None:
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "x.png")
    image = PictureReader(ProbeConfig("natural", str(tmp_path)), tmp_path).read(Picture("", "x.png"), side)
    assert image.size == (side, side)
    assert np.abs(np.asarray(image, int) - [10, 200, 30]).max() <= 1


def test_a_picture_of_the_side_that_is_asked_is_shown_pixel_by_pixel(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.png")
    image = PictureReader(ProbeConfig("atlas"), tmp_path).read(Picture("task", "x.png"), 48)
    assert np.array_equal(np.asarray(image), noise)


def drawn(reader: PictureReader) -> Callable[[int], bytes]:
    return lambda number: reader.read(Picture(f"drawing 3/{number}", ""), 64).tobytes()


def test_drawings_are_the_same_whatever_order_and_thread_reads_them(tmp_path: Path) -> None:
    numbers = [0, 1, STREAM_PICTURES - 1, STREAM_PICTURES, 2 * STREAM_PICTURES + 5, 70]
    probe = ProbeConfig("patterns", count=3 * STREAM_PICTURES, seed=3)
    one_by_one = list(map(drawn(PictureReader(probe, tmp_path)), numbers))
    assert len(set(one_by_one)) == len(numbers)
    mixed = numbers * 4
    random.Random(0).shuffle(mixed)
    with ThreadPoolExecutor(4) as pool:
        by_number = dict(zip(mixed, pool.map(drawn(PictureReader(probe, tmp_path)), mixed), strict=True))
    assert [by_number[number] for number in numbers] == one_by_one
    fewer = PictureReader(ProbeConfig("patterns", count=2, seed=3), tmp_path)
    assert drawn(fewer)(1) == one_by_one[1], "more pictures change none of the first"
    other = PictureReader(ProbeConfig("patterns", seed=4), tmp_path)
    assert drawn(other)(0) != one_by_one[0]


def test_drawings_are_numbered() -> None:
    pictures = pictures_of(ProbeConfig("patterns", count=5, seed=7))
    assert [picture.id for picture in pictures] == [f"drawing 7/{n}" for n in range(5)]


CARDS = {
    name: ModelCard(name, "none(seed 0)", "abc", size, (), (), 0) for name, size in (("alpha", 32), ("beta net", 16))
}


def variant(model: str, metric: str, name: str, preprocess: bool) -> dict:
    return {"model": model, "metric": metric, "variant": name, "settings": {"space": "rgb" if preprocess else "raw"}}


def test_images_of_an_atlas_come_in_the_order_of_tasks_without_dead_ones(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a")
    images = atlas_images(paths, {"variants": []}, CARDS)
    assert [image.picture.id for image in images] == sorted(image.picture.id for image in images)
    dead = {(layer.model, layer.layer, n) for layer in LAYERS for n in layer.dead}
    features = {image.picture.feature for image in images}
    assert not features & {f"{model}/{layer}:{channel}" for model, layer, channel in dead}
    assert len(images) == 2 * (7 + 11 + 16)
    assert {image.picture.scale for image in images if image.model == "alpha"} == {0.5}
    assert {image.picture.scale for image in images if image.model == "beta net"} == {1.0}
    assert {image.kind for image in images} == {("l1", "channel", 0), ("l2", "channel", 0)}
    assert not any(image.picture.raw for image in images)


def test_images_made_without_normalisation_are_shown_so(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", LAYERS[:1])
    variants = [
        variant("alpha", "l1", "aaaaaa11", False),
        variant("alpha", "l1", "bbbbbb22", True),
        variant("alpha", "l2", "cccccc33", True),
        variant("alpha", "l2", "dddddd44", False),
    ]
    for metric, mark in (("l1", "bbbbbb"), ("l2", "dddddd")):
        row = {"task": f"again-{metric}", "feature": "alpha/conv1:0", "model": "alpha", "layer": "conv1"}
        row |= {
            "target": "channel",
            "metric": metric,
            "seed": 0,
            "status": "ok",
            "weights": "w",
            "width": 32,
            "height": 32,
        }
        row |= {"image": f"images/alpha/conv1/{metric}/0-v{mark}.png"}
        write_rows(paths.shard_index("alpha", "conv1", f"again-{metric}"), [row], INDEX)
    images = atlas_images(paths, {"variants": variants}, CARDS)
    raw = {(image.kind[0], image.picture.id.startswith("again")): image.picture.raw for image in images}
    assert raw == {("l1", False): True, ("l1", True): False, ("l2", False): False, ("l2", True): True}
