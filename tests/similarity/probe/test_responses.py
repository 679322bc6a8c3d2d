"""Which pictures have no response yet, and a layer's responses as a matrix, from files in any order."""

from pathlib import Path

import numpy as np
import pytest

from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.responses import missing_pictures, read_layer
from atlas.store.index import write_rows
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import RESPONSES

PICTURES = [Picture(name, f"{name}.png") for name in "abcd"]


def answer(paths: AtlasPaths, layer: str, pictures: str, *, file="x", weights="w", scale=1.0, probe="atlas") -> None:
    rows = [
        {
            "probe": probe,
            "model": "net",
            "layer": layer,
            "layer_index": 0,
            "picture": name,
            "weights": weights,
            "mean": [scale * (10 * ord(name) + channel) for channel in range(3)],
            "max": [scale * (20 * ord(name) + channel) for channel in range(3)],
        }
        for name in pictures
    ]
    write_rows(paths.layer_responses(probe, "net", layer) / f"{file}.parquet", rows, RESPONSES)


@pytest.fixture
def paths(tmp_path: Path) -> AtlasPaths:
    return AtlasPaths(tmp_path)


def missing_in(paths: AtlasPaths, probe="atlas", weights="w") -> dict[tuple[str, ...], str]:
    folders = {layer: paths.layer_responses(probe, "net", layer) for layer in ("l", "m/0")}
    missing = missing_pictures(folders, PICTURES, weights)
    return {layers: "".join(picture.id for picture in pictures) for layers, pictures in missing.items()}


def test_everything_is_left_at_first_and_nothing_at_the_end(paths: AtlasPaths) -> None:
    assert missing_in(paths) == {("l", "m/0"): "abcd"}
    answer(paths, "l", "abcd")
    answer(paths, "m/0", "abcd")
    assert missing_in(paths) == {}


def test_pictures_are_left_for_the_layers_that_have_not_told(paths: AtlasPaths) -> None:
    answer(paths, "l", "ca")
    answer(paths, "m/0", "a", file="x")
    answer(paths, "m/0", "d", file="y")
    assert missing_in(paths) == {("l", "m/0"): "b", ("m/0",): "c", ("l",): "d"}


def test_other_weights_probes_and_half_files_answer_nothing(paths: AtlasPaths) -> None:
    answer(paths, "l", "abcd", weights="old")
    answer(paths, "m/0", "abcd", probe="natural")
    answer(paths, "m/0", "abcd", file=".hidden")
    assert missing_in(paths) == {("l", "m/0"): "abcd"}
    assert missing_in(paths, weights="old") == {("m/0",): "abcd"}
    assert missing_in(paths, probe="natural") == {("l",): "abcd"}


def test_a_layer_is_read_by_row_and_channel(paths: AtlasPaths) -> None:
    answer(paths, "l", "db", file="x")
    answer(paths, "l", "az", file="y")  # z is a picture that the probe no longer has
    answer(paths, "l", "abd", file="z", weights="old", scale=-1.0)
    folder = paths.layer_responses("atlas", "net", "l")
    rows = {picture.id: row for row, picture in enumerate(PICTURES)}
    values = read_layer(folder, rows, [2, 0], weights="w")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values[[0, 1, 3]], [[972, 970], [982, 980], [1002, 1000]])
    assert np.isnan(values[2]).all(), "c has not been seen"
    maxima = read_layer(folder, rows, [1], weights="w", column="max")
    np.testing.assert_array_equal(maxima[[0, 3], 0], [20 * ord("a") + 1, 20 * ord("d") + 1])


def test_a_damaged_file_is_an_error_that_names_it(paths: AtlasPaths) -> None:
    answer(paths, "l", "abcd")
    (file,) = paths.layer_responses("atlas", "net", "l").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(OSError, match=r"x\.parquet.*retry=broken"):
        missing_in(paths)
