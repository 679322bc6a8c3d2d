"""Similarity maps and planes: every value has its colour, breaks and images their places, whatever the size."""

import numpy as np
import pytest
from made_atlas import picture

from atlas.report import colours
from atlas.report.page import matrix as page
from atlas.report.page import plane
from atlas.report.page.layer_map import LayerMap
from atlas.report.page.map_pages import MAP_SIDE
from atlas.report.page.matrix import draw_matrix
from atlas.report.page.paper import PRINT, SCREEN, Heading, Picture, render
from atlas.report.page.plane import draw_layout
from atlas.report.sheets import canvas
from atlas.store.images import to_pil

HEADING = Heading("alpha / conv1", "l1")
LEGEND = "sym: mean z-score of each on the other's image, deviations"


def blocks(*sizes, seed=0):
    families = np.repeat(np.arange(len(sizes)), sizes)
    noise = np.random.default_rng(seed).standard_normal((len(families), len(families)))
    return 5.0 * (families[:, None] == families) + (noise + noise.T) / 4, families


def drawn(matrix, families, images=None, side=MAP_SIDE, theme=SCREEN):
    n = len(matrix)
    layer_map = LayerMap(matrix, families, images or [None] * n, [str(k) for k in range(n)])
    return draw_matrix(layer_map, heading=HEADING, legend=LEGEND, side=side, theme=theme)


def map_in(figure):
    """The pixels of a drawn page from the map's first on, and what lies left of and above it."""
    pixels = np.asarray(render(figure)).astype(int)
    box = max((one.get_window_extent() for one in figure.findobj(Picture)), key=lambda box: box.width)
    x, y = round(box.x0), len(pixels) - round(box.y1)
    assert np.abs(box.extents - box.extents.round()).max() < 1e-6, "on whole pixels"
    return pixels, x, y


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(4)]
    for k, path in enumerate(paths):
        to_pil(picture(k, 64)).save(path)
    return paths


@pytest.mark.parametrize(("side", "theme"), [(MAP_SIDE, SCREEN), (1200, PRINT)])
def test_every_value_has_its_colour_and_its_place(side, theme):
    matrix, families = blocks(5, 30)
    pixels, x, y = map_in(drawn(matrix, families, side=side, theme=theme))
    cell, scale = page.cell_size(35, side), colours.scale_of(matrix[~np.eye(35, dtype=bool)])
    expected = scale.paint(matrix)
    expected[np.diag_indices(35)] = colours.SELF
    for i, j in np.ndindex(35, 35):
        row, column = (y + i * cell + page.BREAK * (i > 4), x + j * cell + page.BREAK * (j > 4))
        assert (pixels[row : row + cell, column : column + cell] == expected[i, j]).all()


def test_families_are_set_apart():
    matrix, families = blocks(5, 3)
    pixels, x, y = map_in(drawn(matrix, families))
    cell = page.cell_size(8, MAP_SIDE)
    side = 8 * cell + page.BREAK
    assert (pixels[y + 5 * cell : y + 5 * cell + page.BREAK, x : x + side] == canvas.GROUND).all()
    assert (pixels[y : y + side, x + 5 * cell : x + 5 * cell + page.BREAK] == canvas.GROUND).all()


def test_each_feature_has_its_image_on_both_edges(files):
    matrix, families = blocks(2, 2)
    pixels, x, y = map_in(drawn(matrix, families, files))
    cell = page.cell_size(4, MAP_SIDE)
    for k, path in enumerate(files):
        image = np.asarray(canvas.thumbnails([path], cell - 2)[0]).astype(int)
        along, out = k * cell + page.BREAK * (k > 1) + 1, page.SPACE + cell - 2
        assert np.array_equal(pixels[y - out : y - page.SPACE, x + along : x + along + cell - 2], image)
        assert np.array_equal(pixels[y + along : y + along + cell - 2, x - out : x - page.SPACE], image)


def test_a_family_is_represented_by_its_medoid(files):
    matrix, families = blocks(80, 120)
    matrix[7, :80] = matrix[:80, 7] = 9
    np.fill_diagonal(matrix, np.nan)
    assert page.medoids(np.where(np.eye(200), 0, matrix), families)[0] == 7
    figure = drawn(matrix, families, [files[0]] * 200)
    assert len(figure.findobj(Picture)) == 1 + 2 * 2, "the map, and one image a family on either edge"
    assert [text.get_text() for text in figure.axes[0].texts].count("7") == 2


@pytest.mark.parametrize("side", [MAP_SIDE, 1200])
@pytest.mark.parametrize("count", [40, 64, 100, 128])
def test_numbers_can_be_read_and_do_not_meet(count, side):
    figure = drawn(*blocks(count - 24, 24), side=side)
    render(figure)
    numbers = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
    assert all(text.get_fontsize() >= 5.5 for text in numbers)
    x0, y0, x1, y1 = np.array([text.get_window_extent().extents for text in numbers]).T
    across = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)
    along = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    assert np.triu(np.minimum(across, along), 1).max() <= 4, "less than what a line has above and below its digits"


@pytest.mark.parametrize("sizes", [(1,), (2,), (16,), (30, 34), (300, 212), (1500, 1001)])
def test_maps_of_every_size_stay_within_bounds(sizes):
    sheet = render(drawn(*blocks(*sizes)))
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
    layers = ["conv1"] * (n // 2) + ["conv2"] * (n - n // 2)
    assert max(render(draw_layout(points, [None] * n, heading=HEADING, layers=layers)).size) <= 3000


def test_a_plane_shows_an_image_over_its_layers_colour(files):
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    figure = draw_layout(points, files, heading=HEADING, layers=["a", "a", "b", "b"])
    pixels, x, y = map_in(figure)
    size, rule = plane.LARGEST - plane.below(plane.LARGEST), plane.rule(plane.LARGEST)
    first, last = colours.layer_colours(2)
    image = np.asarray(canvas.thumbnails([files[0]], size)[0]).astype(int)
    assert np.array_equal(pixels[y : y + size, x : x + size], image)
    line = y + size + plane.SPACE
    assert (pixels[line : line + rule, x : x + size] == first).all() and rule >= 6
    assert (pixels == last).all(-1).sum() >= 2 * size * rule
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a", "b"]


@pytest.mark.parametrize("count", [1, 7, 60])
def test_every_layer_of_a_plane_is_named_within_the_page(count):
    names = [f"features.block{k}.conv" for k in range(count)]
    points = np.random.default_rng(0).random((count, 2)).astype(np.float32)
    figure = draw_layout(points, [None] * count, heading=HEADING, layers=names)
    render(figure)
    figure.set_dpi(200)
    legend = figure.axes[0].get_legend()
    assert sorted(text.get_text() for text in legend.get_texts()) == sorted(names)
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1


def test_features_that_share_a_cell_have_a_dot_each():
    points = np.concatenate([np.zeros((40, 2)), np.ones((1, 2))]).astype(np.float32)
    groups = plane.cells(points, plane.cell_size(points))
    assert max(map(len, groups.values())) < 40
