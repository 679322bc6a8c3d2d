"""Similarity maps and planes: every value has its colour, breaks and images their places, whatever the size."""

import numpy as np
import pytest
from atlas.report.page.maps import draw_map
from made_atlas import picture

from atlas.report import colours
from atlas.report.page import edges, maps, plane
from atlas.report.page.plane import draw_layout
from atlas.report.sheets import canvas, grid
from atlas.store.images import to_pil

WORDS = dict(title="alpha / conv1", subtitle="l1", legend="sym: mean z-score of each on the other's image, deviations")


def blocks(*sizes, seed=0):
    families = np.repeat(np.arange(len(sizes)), sizes)
    noise = np.random.default_rng(seed).standard_normal((len(families), len(families)))
    return 5.0 * (families[:, None] == families) + (noise + noise.T) / 4, families


def drawn(matrix, families, images=None):
    n = len(matrix)
    return draw_map(matrix, families, **WORDS, images=images or [None] * n, labels=[str(k) for k in range(n)])


def corner(sheet, cell):
    """Where the map begins: its diagonal's first cell is the uppermost block of the tone that is used for nothing else."""
    y, x = np.argwhere((np.asarray(sheet) == colours.SELF).all(-1))[0]
    assert (np.asarray(sheet)[y : y + cell, x : x + cell] == colours.SELF).all()
    return int(x), int(y)


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(4)]
    for k, path in enumerate(paths):
        to_pil(picture(k, 64)).save(path)
    return paths


def test_every_value_has_its_colour_and_its_place():
    matrix, families = blocks(5, 3)
    sheet, cell = np.asarray(drawn(matrix, families)), maps.cell_size(8)
    x, y = corner(sheet, cell)
    scale = colours.scale_of(matrix[~np.eye(8, dtype=bool)])
    for i in range(8):
        for j in set(range(8)) - {i}:
            row, column = (y + i * cell + maps.BREAK * (i > 4), x + j * cell + maps.BREAK * (j > 4))
            shown = sheet[row : row + cell, column : column + cell].reshape(-1, 3)
            assert (shown == shown[0]).all()
            shade = int(np.abs(scale.shades.astype(int) - shown[0]).sum(1).argmin())
            read = scale.low + shade / 255 * (scale.high - scale.low)
            assert read == pytest.approx(
                np.clip(matrix[i, j], scale.low, scale.high), abs=0.01 * (scale.high - scale.low)
            )


def test_families_are_set_apart():
    matrix, families = blocks(5, 3)
    sheet, cell = np.asarray(drawn(matrix, families)), maps.cell_size(8)
    x, y = corner(sheet, cell)
    side = 8 * cell + maps.BREAK
    assert (sheet[y + 5 * cell : y + 5 * cell + maps.BREAK, x : x + side] == grid.GROUND).all()
    assert (sheet[y : y + side, x + 5 * cell : x + 5 * cell + maps.BREAK] == grid.GROUND).all()


def test_each_feature_has_its_image_on_both_edges(files):
    matrix, families = blocks(2, 2)
    sheet, cell = np.asarray(drawn(matrix, families, files)).astype(int), maps.cell_size(4)
    x, y = corner(sheet, cell)
    for k, path in enumerate(files):
        image = np.asarray(canvas.thumbnails([path], cell - 2)[0]).astype(int)
        along, out = k * cell + maps.BREAK * (k > 1) + 1, edges.SPACE + cell - 2
        assert np.array_equal(sheet[y - out : y - edges.SPACE, x + along : x + along + cell - 2], image)
        assert np.array_equal(sheet[y + along : y + along + cell - 2, x - out : x - edges.SPACE], image)


def test_a_family_is_represented_by_its_medoid():
    matrix, families = blocks(20, 30)
    matrix[7, :20] = matrix[:20, 7] = 9
    np.fill_diagonal(matrix, np.nan)
    assert maps.representatives(np.where(np.eye(50), 0, matrix), families)[0] == 7
    drawn(matrix, families)


@pytest.mark.parametrize("sizes", [(1,), (2,), (16,), (30, 34), (100, 28), (300, 212), (2000, 48), (1500, 1001)])
def test_maps_of_every_size_stay_within_bounds(sizes):
    sheet = drawn(*blocks(*sizes))
    assert canvas.NARROWEST <= sheet.width <= 3000 and sheet.height <= 3000


@pytest.mark.parametrize("ramp", [colours.ONE_SIDED, colours.SIGNED[6:], colours.SIGNED[6::-1]])
def test_ramps_grow_lighter_at_an_even_pace(ramp):
    steps = np.diff(lightness(colours.shades(ramp, 13)))
    assert (steps > 0).all() and steps.max() < 2.2 * steps.min()


def lightness(rgb):
    """CIE L*."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_one_outlier_does_not_flatten_the_range():
    values = np.append(np.random.default_rng(0).uniform(0, 5, 400), [1000.0, 1000.0])
    assert colours.scale_of(values).high <= 5


def test_a_range_of_two_sides_is_even_around_zero():
    scale = colours.scale_of(np.linspace(-0.5, 0.9, 100))
    assert scale.low == -scale.high and scale.paint(np.zeros(1)).max() < 40
    assert colours.scale_of(np.linspace(-1, 9, 100)).low > -1.1


@pytest.mark.parametrize("values", [np.zeros(0), np.full(12, 3.0), np.full(2, -1e-9), np.linspace(-2, -1, 9)])
def test_a_scale_always_has_a_range_and_round_ticks(values):
    scale = colours.scale_of(values)
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks()) <= 7 and all(scale.low <= tick <= scale.high for tick in scale.ticks())


@pytest.mark.parametrize("n", [1, 2, 30, 700])
def test_every_feature_of_a_plane_is_in_one_cell(n):
    points = np.random.default_rng(n).random((n, 2)).astype(np.float32)
    groups = plane.cells(points, plane.cell_size(points))
    assert sorted(place for group in groups.values() for place in group) == list(range(n))
    sheet = draw_layout(
        points, [None] * n, title="alpha", subtitle="s", layers=["conv1"] * (n // 2) + ["conv2"] * (n - n // 2)
    )
    assert max(sheet.size) <= 3000


def test_a_plane_shows_an_image_over_its_layers_colour(files):
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    sheet = np.asarray(draw_layout(points, files, title="t", subtitle="s", layers=["a", "a", "b", "b"])).astype(int)
    size = plane.LARGEST - plane.BELOW
    first, last = colours.layer_colours(2)
    image = np.asarray(canvas.thumbnails([files[0]], size)[0]).astype(int)
    top = int(np.argwhere((sheet[:, canvas.MARGIN : canvas.MARGIN + size] == first).all(-1).all(1))[0, 0])
    assert np.array_equal(
        sheet[top - plane.SPACE - size : top - plane.SPACE, canvas.MARGIN : canvas.MARGIN + size], image
    )
    assert (sheet == last).all(-1).sum() >= 2 * size * plane.RULE


def test_features_that_share_a_cell_have_a_dot_each():
    points = np.concatenate([np.zeros((40, 2)), np.ones((1, 2))]).astype(np.float32)
    groups = plane.cells(points, plane.cell_size(points))
    assert max(map(len, groups.values())) < 40
