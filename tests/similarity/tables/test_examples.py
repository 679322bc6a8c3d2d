"""The pictures that drive a feature most: chosen as sorting does, copied,
and cleared away when nobody names them.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas.config.schema import ProbeConfig
from atlas.similarity.probe.pictures import PictureReader, pictures_of
from atlas.similarity.tables.examples import COPY_SIDE, TopPictures, most_driving, write_examples
from atlas.store.index import read_table
from atlas.store.paths import AtlasPaths


def test_most_driving_is_what_sorting_gives() -> None:
    random = np.random.default_rng(0)
    means = random.integers(0, 4, (30, 5)).astype(np.float32)  # ties
    maxima = random.normal(size=(30, 5)).astype(np.float32)
    means[3, 2], means[4, 4] = np.nan, np.inf
    top = most_driving([f"a/l:{n}" for n in range(5)], means, maxima, 4, alive=np.isfinite(means).all(0))
    assert top.features == ["a/l:0", "a/l:1", "a/l:3"]
    for row, channel in enumerate((0, 1, 3)):
        wanted = sorted(range(30), key=lambda n: (-means[n, channel], n))[:4]
        assert top.picture[row].tolist() == wanted
        assert top.mean[row].tolist() == means[wanted, channel].tolist()
        assert top.peak[row].tolist() == maxima[wanted, channel].tolist()


def test_no_more_pictures_than_there_are() -> None:
    means = np.array([[1.0], [2.0]], np.float32)
    assert most_driving(["a/l:0"], means, means, 9, alive=np.array([True])).picture.tolist() == [[1, 0]]


def test_nothing_is_live() -> None:
    means = np.full((3, 2), np.nan, np.float32)
    top = most_driving(["a/l:0", "a/l:1"], means, means, 2, alive=np.zeros(2, bool))
    assert (top.features, len(top.picture)) == ([], 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (40, 20), (50 * number, 0, 0)).save(folder / f"{number}.png")
    return folder


def top_of(*pictures: list[int]) -> TopPictures:
    picture = np.array(pictures)
    return TopPictures(
        [f"a/l:{n}" for n in range(len(pictures))], picture, picture.astype(np.float32), 2 * picture.astype(np.float32)
    )


def test_pictures_are_copied_once_and_those_that_nobody_names_are_removed(tmp_path: Path, folder: Path) -> None:
    probe, paths = ProbeConfig("natural", str(folder)), AtlasPaths(tmp_path / "atlas")
    reader, pictures = PictureReader(probe, paths.root), pictures_of(probe)
    assert len(write_examples(paths, "natural", pictures, reader, tops=[top_of([4, 1], [1, 0])], weights={})) == 1 + 3
    rows = read_table(paths.probe_examples("natural")).to_pylist()
    assert [(row["feature"], row["rank"], row["source"], row["mean"], row["max"]) for row in rows] == [
        ("a/l:0", 1, "4.png", 4.0, 8.0),
        ("a/l:0", 2, "1.png", 1.0, 2.0),
        ("a/l:1", 1, "1.png", 1.0, 2.0),
        ("a/l:1", 2, "0.png", 0.0, 0.0),
    ]
    assert {(row["model"], row["layer"], row["channel"]) for row in rows} == {("a", "l", 0), ("a", "l", 1)}
    assert all(row["picture"] == pictures[int(row["source"][0])].id for row in rows)
    for row in rows:
        with Image.open(paths.root / row["image"]) as copy:
            assert (copy.format, copy.mode, copy.size) == ("JPEG", "RGB", (COPY_SIDE, COPY_SIDE))
            assert abs(copy.getpixel((90, 90))[0] - 50 * int(row["source"][0])) < 4
    kept = {path: path.stat().st_mtime_ns for path in paths.pictures.rglob("*.jpg")}
    assert len(kept) == 3
    assert len(write_examples(paths, "natural", pictures, reader, tops=[top_of([4, 2], [4, 2])], weights={})) == 1 + 2
    now = {path: path.stat().st_mtime_ns for path in paths.pictures.rglob("*.jpg")}
    assert now.items() & kept.items() == {(path, kept[path]) for path in kept.keys() & now.keys()}
    assert len(now) == 2 and len(now.keys() & kept.keys()) == 1


def test_examples_of_one_probe_leave_those_of_another(tmp_path: Path, folder: Path) -> None:
    probe, paths = ProbeConfig("natural", str(folder)), AtlasPaths(tmp_path / "atlas")
    reader, pictures = PictureReader(probe, paths.root), pictures_of(probe)
    write_examples(paths, "one", pictures, reader, tops=[top_of([4, 1])], weights={})
    write_examples(paths, "two", pictures, reader, tops=[top_of([3, 0])], weights={})
    assert len(list(paths.probe_pictures("one").rglob("*.jpg"))) == 2
    assert len(list(paths.probe_pictures("two").rglob("*.jpg"))) == 2
