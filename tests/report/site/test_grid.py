"""The grid of a map, its names, and its picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from atlas.report.site import mosaic
from atlas.report.site.grid import Grid, grid_of, shape_of
from atlas.report.site.mosaic import Source
from atlas.report.site.regions import regions_of


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers(0, 3))
def test_every_feature_has_a_cell_and_no_cell_between_is_empty(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 2)).round(1)  # many at one place
    grid = grid_of(points)
    assert sorted(grid.cell) == list(range(count))
    assert (grid.rows - 1) * grid.columns < count <= grid.rows * grid.columns
    assert np.array_equal(grid.cell, grid_of(points).cell)


def test_neighbors_on_the_plane_are_neighbors_on_the_grid() -> None:
    points = np.random.default_rng(0).normal(size=(1000, 2))
    points[:300] *= 0.1  # a dense group
    grid = grid_of(points)
    places = np.stack([grid.cell % grid.columns, grid.cell // grid.columns], 1)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(apart, np.inf)
    steps = np.abs(places - places[apart.argmin(1)]).max(1)
    assert steps.mean() < 2 and (steps <= 2).mean() > 0.85, "by chance it would be about 15"


def test_places_on_a_lattice_stay_where_they_are() -> None:
    columns, rows = shape_of(200)
    assert (columns, rows) == (20, 10)
    order = np.random.default_rng(1).permutation(200)
    points = np.stack([order % columns, order // columns], 1) * 1.0
    assert np.array_equal(grid_of(points).cell, order)


def test_regions_are_called_after_most_of_their_features() -> None:
    columns, rows = 28, 16
    cell = np.random.default_rng(0).permutation(columns * rows)
    x, y = cell % columns, cell // columns
    names = np.where(x < 10, "stripes", np.where((x > 20) & (y > 8), "dots", None)).tolist()
    levels = regions_of(names, cell, columns)
    assert [level.side for level in levels] == [4]
    found = {region.name for region in levels[0].regions}
    assert found == {"stripes", "dots"}
    for region in levels[0].regions:
        assert (region.x < 11) if region.name == "stripes" else (region.x > 20 and region.y > 8)
        assert 0.5 <= region.share <= 1
    spots = [(region.x, region.y) for region in levels[0].regions]
    assert all(max(abs(a - c), abs(b - d)) >= 4 for k, (a, b) in enumerate(spots) for c, d in spots[:k])
    assert regions_of([None, None], np.arange(2), 2)[0].regions == []


def test_a_mosaic_has_each_thumbnail_in_its_cell(tmp_path) -> None:
    sheet = Image.new("RGB", (16 * 96, 16 * 96))
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    for place, colour in enumerate(colours):
        sheet.paste(colour, (96 * place, 0, 96 * place + 96, 96))
    sheet.save(tmp_path / "s.webp", quality=90)
    grid = Grid(2, 2, np.array([3, 0, 2]))
    here = Source(tmp_path / "s.webp", np.array([0, 1, 2]), grid.cell)
    gone = Source(tmp_path / "gone.webp", np.array([0]), np.array([1]))
    picture = np.asarray(mosaic.draw(grid, [here, gone], 16))
    cell = mosaic.cell_of(grid)
    assert picture.shape == (2 * cell, 2 * cell, 3)
    middles = [tuple(picture.astype(int)[cell * (k // 2) + cell // 2, cell * (k % 2) + cell // 2]) for k in range(4)]
    for k, colour in zip(grid.cell, colours, strict=True):
        assert middles[k] == pytest.approx(colour, abs=12)
    assert middles[1] == mosaic.GROUND
    assert len(mosaic.as_webp(Image.fromarray(picture))) < 5000
