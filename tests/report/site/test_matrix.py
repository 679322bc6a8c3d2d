"""A matrix as bytes: a triangle; of a wide one a reduced picture, and tiles."""

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from atlas.report import colours
from atlas.report.colours import scale_of
from atlas.report.site import matrix_data
from atlas.report.site.matrix_data import Matrix, read_matrix, tile_names
from atlas.report.site.static import own_scripts


@pytest.fixture
def matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Matrix, np.ndarray]:
    """A matrix of 23 features as if that were many."""
    monkeypatch.setattr(matrix_data, "WIDE", 20)
    monkeypatch.setattr(matrix_data, "REDUCED", 10)
    monkeypatch.setattr(matrix_data, "TILE", 8)
    values = np.random.default_rng(0).normal(size=(23, 23)).astype(np.float32)
    values += values.T
    np.save(tmp_path / "m.npy", values)
    np.save(tmp_path / "o.npy", np.arange(23))
    clusters = {"order": list(range(23)), "family": [0] * 23, "names": [None]}
    found = read_matrix((tmp_path / "m.npy", tmp_path / "o.npy"), clusters)
    assert found is not None
    return found, values


def test_tiles_hold_every_pair(matrix: tuple[Matrix, np.ndarray]) -> None:
    found, values = matrix
    tiles = dict(found.tiles())
    assert list(tiles) == tile_names(23) == ["0-0", "0-1", "0-2", "1-1", "1-2", "2-2"]
    shown = np.full((23, 23), np.nan)
    for name, tile in tiles.items():
        row, column = map(int, name.split("-"))
        levels = np.frombuffer(b64decode(tile["data"]), np.uint8).reshape(-1, tile["wide"])
        part = found.low + levels / 255 * (found.high - found.low)
        shown[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = part
    above = np.triu_indices(23, 1)
    assert np.abs(shown - values)[above].max() <= (found.high - found.low) / 255 + 1e-6


def test_the_reduced_picture_has_the_means_of_blocks_of_pairs(matrix: tuple[Matrix, np.ndarray]) -> None:
    found, values = matrix
    whole = found.whole()
    assert whole["every"] == found.every == 3
    levels = np.frombuffer(b64decode(whole["data"]), np.uint8)
    shown = dict(
        zip(zip(*np.triu_indices(8), strict=True), found.low + levels / 255 * (found.high - found.low), strict=True)
    )
    np.fill_diagonal(values, np.nan)
    for (row, column), mean in shown.items():
        block = values[3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
        assert mean == pytest.approx(np.nanmean(block), abs=(found.high - found.low) / 200)


def test_a_narrow_one_has_no_tiles() -> None:
    assert tile_names(matrix_data.WIDE) == []


def test_colours_change_between_the_same_values_as_on_the_drawn_map(matrix: tuple[Matrix, np.ndarray]) -> None:
    found, values = matrix
    scale = scale_of(values[~np.eye(23, dtype=bool)])
    low, high = found.whole()["shown"]
    assert (low, high) == pytest.approx((scale.low, scale.high), rel=1e-6)
    assert low > found.low or high < found.high, "half a percent at either end is beyond"
    script = own_scripts().decode()
    for name in ("ONE_SIDED", "SIGNED", "SELF", "OPPOSED"):
        assert f"const {name} = {json.dumps(getattr(colours, name))};" in script
    assert script.count("shader(...data.shown)") == 1 and "shader(data.low" not in script
