"""Figures for print: every picture at its place, every word within its room, whatever the labels and however many."""

import base64
import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from atlas.report.page.lettering import EAST_ASIAN, Face, cut_to_inches, families, plain, width, wrapped
from atlas.report.page.panels import FADED, Panel, Row, draw_panels
from atlas.report.page.paper import DOTS, Heading, Picture, render, save_figure

LONG = "features.denseblock4.denselayer16.conv_2"
LABELS = ["", "layer3.35.conv2", LONG, "W" * 40, "two words\nand a second line of words"]
COLOURS = [(200, 30, 30), (30, 160, 40), (40, 60, 190), (240, 200, 20)]
ODD = st.text(st.sampled_from("aW$_\\{}^<>&. /-\n\t\0層é\u202eЖ😀\ud800"), max_size=40)


def filled(colour, size=(64, 64)):
    return Image.new("RGB", size, colour)


def grid_of(rows, columns, label="", **size):
    return [
        Row(label, [Panel(filled(COLOURS[(r + c) % 4], **size), label) for c in range(columns)]) for r in range(rows)
    ]


def letters(figure):
    return [
        text for text in figure.findobj(Text) if (text.get_text() and text.axes is None) or text in figure.axes[0].texts
    ]


def boxes(figure):
    """Where texts and pictures are, in pixels of the picture as it is drawn."""
    figure.set_dpi(200)
    FigureCanvasAgg(figure)
    texts = [text.get_window_extent() for text in letters(figure)]
    return texts, [picture.get_window_extent() for picture in figure.findobj(Picture)]


def assert_tidy(figure):
    """Nothing leaves the figure, and no two things share more than a pixel's breadth."""
    texts, pictures = boxes(figure)
    assert texts
    x0, y0, x1, y1 = np.array([box.extents for box in texts + pictures]).T
    assert x0.min() >= 0 and y0.min() >= 0
    assert x1.max() <= figure.bbox.x1 and y1.max() <= figure.bbox.y1
    across = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)
    along = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    assert not np.triu((across > 1) & (along > 1), 1).any()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(("rows", "columns", "panel"), [(1, 1, 1.25), (3, 4, 1.25), (2, 24, 0.5), (20, 2, 0.3)])
def test_no_label_leaves_its_room(rows, columns, panel, label):
    figure = draw_panels(
        grid_of(rows, columns, label),
        heading=Heading(f"{label} a title", label),
        columns=[label] * columns,
        note=label,
        panel=panel,
    )
    assert_tidy(figure)


@settings(deadline=None, max_examples=30)
@given(title=ODD, label=ODD, caption=ODD, column=ODD, note=ODD)
def test_any_text_is_shown_as_text(title, label, caption, column, note):
    rows = [Row(label, [Panel(filled(COLOURS[k]), caption) for k in range(3)])] * 2
    render(draw_panels(rows, heading=Heading(title, label), columns=[column] * 3, note=note), 60)


def test_text_is_never_read_as_mathematics():
    text = "$x_1$ <script> \\frac{1}{2}"
    figure = draw_panels([Row("", [Panel(filled(COLOURS[0]))])], heading=Heading(text), panel=4)
    assert [artist.get_text() for artist in letters(figure)] == [text]


def test_characters_that_no_font_has_are_replaced():
    assert plain("conv é Ж α") == "conv é Ж α"
    assert plain("a\x00b\ud800\tc\nd") == "a□b□ c\nd"
    if len(families()) == 2:
        assert plain("層") == "□"
    assert len(families()) <= 2 + len(EAST_ASIAN)


def test_pictures_stand_at_their_places_in_their_colours():
    rows = grid_of(3, 4, "conv1")
    figure = draw_panels(rows, heading=Heading("a grid"), columns=list("abcd"))
    pixels = np.asarray(render(figure, 200)).astype(int)
    _, pictures = boxes(figure)
    expected = [panel.image.getpixel((0, 0)) for row in rows for panel in row.panels]
    assert len(pictures) == 12
    for box, colour in zip(pictures, expected, strict=True):
        x0, x1 = round(box.x0), round(box.x1)
        y0, y1 = len(pixels) - round(box.y1), len(pixels) - round(box.y0)
        assert (x1 - x0, y1 - y0) == (250, 250)
        assert (pixels[y0:y1, x0:x1] == colour).all()
        assert (pixels[y0 - 2 : y1 + 2, x0 - 2] == 255).all()


def test_whole_factors_keep_pixels_square_and_pictures_keep_their_detail():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8))
    figure = draw_panels([Row("", [Panel(noise)])], heading=Heading())
    (box,) = boxes(figure)[1]
    pixels = np.asarray(render(figure, 200))
    x, y = round(box.x0), len(pixels) - round(box.y1)
    assert (pixels[y : y + 250, x : x + 250][2::5, 2::5] == np.asarray(noise)).all()


@pytest.mark.parametrize("size", [(64, 64), (200, 100), (100, 150), (400, 10), (10, 400)])
def test_pictures_keep_their_shape(size):
    figure = draw_panels([Row("a row", [Panel(filled(COLOURS[0], size), "wide or tall")] * 2)], heading=Heading("t"))
    assert_tidy(figure)
    for box in boxes(figure)[1]:
        assert abs(box.width - box.height * size[0] / size[1]) <= 3 * max(1, size[0] / size[1])
        assert box.width <= 251 and box.height <= 501


def test_rows_of_different_shapes_and_lengths():
    shapes = [(64, 64), (300, 100), (100, 300)]
    rows = [Row(LONG, [Panel(filled(COLOURS[k], shape), LONG) for k, shape in enumerate(shapes)]) for _ in range(2)]
    rows += [Row("short", [Panel(None), Panel(None, "not made")]), Row("none", [])]
    figure = draw_panels(rows, heading=Heading("mixed"), columns=["a", "b", "c", "d", "e"], note="a note")
    assert_tidy(figure)
    assert len(boxes(figure)[1]) == 6


@pytest.mark.parametrize("image", [filled(COLOURS[0]), None])
def test_dead_features_are_gray_and_named(image):
    figure = draw_panels([Row("", [Panel(image, "3", state="dead")])], heading=Heading("t"))
    assert "dead" in [artist.get_text() for artist in letters(figure)]
    (box,) = boxes(figure)[1]
    pixels = np.asarray(render(figure, 200))
    corner = pixels[len(pixels) - round(box.y0) - 3, round(box.x0) + 3].astype(int)
    assert np.ptp(corner) == 0 and np.abs(corner - FADED).max() < 40


def test_transparent_pictures_stand_on_white():
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert (np.asarray(render(draw_panels([Row("", [Panel(clear)])], heading=Heading()), 100)) == 255).all()


def test_names_keep_both_ends_and_sentences_their_beginning():
    face = Face(8)
    name, words = cut_to_inches(LONG, 1.0, face), cut_to_inches("a sentence of several words", 1.0, face)
    assert name.startswith("feat") and name.endswith("v_2") and "…" in name
    assert words.startswith("a sentence") and words.endswith("…")
    assert cut_to_inches("short", 1.0, face) == "short"
    assert wrapped("encoder.layers.encoder_layer_11", 1.5, face, 3) == ["encoder.layers.", "encoder_layer_11"]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40), st.floats(0.3, 3), st.integers(1, 3))
def test_wrapped_lines_fit(text, room, most):
    face = Face(7)
    lines = wrapped(text, room, face, most)
    assert len(lines) <= most
    assert all(width(line, face) <= room for line in lines)


def test_a_narrow_figure_is_wide_enough_for_its_title():
    one = [Row("", [Panel(filled(COLOURS[0]))])]
    assert (
        draw_panels(one, heading=Heading()).get_figwidth()
        < draw_panels(one, heading=Heading("A title of some length")).get_figwidth()
        <= 3.4
    )


def test_the_file_is_whole_titled_and_the_same_twice(tmp_path):
    paths = [tmp_path / "a" / f"{k}.png" for k in range(2)]
    for path in paths:
        save_figure(draw_panels(grid_of(2, 3, "conv1"), heading=Heading("t")), path, title="層 conv1")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(paths[0].parent.iterdir()) == paths
    with Image.open(paths[0]) as file:
        assert file.text["Title"] == "層 conv1"
        assert file.mode == "RGB"
        assert round(file.info["dpi"][0]) == DOTS
        assert file.size == render(draw_panels(grid_of(2, 3, "conv1"), heading=Heading("t")), DOTS).size


def test_rendering_leaves_the_figure_as_it_was():
    figure = draw_panels(grid_of(1, 2), heading=Heading("t"))
    before = figure.dpi
    small, large = render(figure, 50), render(figure, 100)
    assert figure.dpi == before
    assert abs(large.width - 2 * small.width) <= 1


@pytest.mark.parametrize("ending", [".pdf", ".svg"])
def test_a_page_without_pixels_is_the_same_twice_and_keeps_every_pixel_of_a_picture(tmp_path, ending):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (37, 37, 3), dtype=np.uint8))
    files = [tmp_path / f"{k}{ending}" for k in range(2)]
    for file in files:
        save_figure(draw_panels([Row("conv1 ∂", [Panel(noise, "7")])], heading=Heading("t", "层")), file, title="層 t")
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert b"Date" not in first
    if ending == ".pdf":
        assert b"/FontFile2" in first and b"/Type3" not in first, "letters are TrueType"
        assert b"/Width 37" in first and b"/Height 37" in first
    else:
        (data,) = re.findall(rb"data:image/png;base64,([^\"]+)", first)
        stored = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
        assert any((stored[::turn] == np.asarray(noise)).all() for turn in (1, -1))
        assert b"<text" not in first, "letters are outlines"
