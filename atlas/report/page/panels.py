"""A figure for print that is a grid of pictures: named rows, headed columns, a caption below each picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from atlas.report.page.lettering import (
    MARGIN,
    QUIET,
    Face,
    cut_to_inches,
    heading_faces,
    width,
    wrapped,
    write,
    write_heading,
)
from atlas.report.page.placed_image import FADED, PlacedImage, faded, on_white
from atlas.store.files import write_whole

GAP = 0.05  # inches between pictures
ROW_GAP = 0.09  # inches below the captions of a row
LABEL_GAP = 0.12  # inches between a row's label and its pictures
WIDEST_LABEL = 1.5  # inches
NARROWEST = 3.4  # inches of a figure's width, where the title needs them: a column of a journal
STRUCK = "#4a4a4a"  # the word on a dead feature
TALLEST = 2.0  # height of a picture, at most, in widths of a panel
PRINTED = 200  # dots per inch of a file


@dataclass(frozen=True)
class Panel:
    """One panel of the grid: a picture with a label below it, or None where nothing is to be shown."""

    image: Image.Image | None
    label: str = ""
    state: str = "ok"  # ok, dead or failed


@dataclass(frozen=True)
class Row:
    """Panels side by side, and their name: its first line in ink, the text after a line break quieter."""

    label: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class _Grid:
    """Where panels stand, in inches: the left edge of each column, and the width of a panel."""

    lefts: Sequence[float]
    panel: float

    @property
    def caption(self) -> Face:
        return Face(min(7.0, 5.2 + 1.2 * self.panel))

    @property
    def name(self) -> Face:
        return Face(min(9.0, self.caption.size + 1.2))

    @property
    def struck(self) -> Face:
        return Face(self.caption.size, STRUCK)

    @property
    def aside(self) -> Face:
        return Face(self.caption.size, QUIET)


def draw_panels(
    rows: Sequence[Row],
    *,
    title: str,
    subtitle: str = "",
    columns: Sequence[str] = (),
    note: str = "",
    panel: float = 1.25,
) -> Figure:
    """Draw the rows below each other; `panel` is the width of a panel in inches, and a row is as tall as its pictures."""
    count = max([1, len(columns), *(len(row.panels) for row in rows)])
    labels = [_label(row, _Grid((), panel)) for row in rows]
    gutter = max([0.0, *(width(line, face) for label in labels for line, face in label)])
    left = MARGIN + (_whole(gutter) + LABEL_GAP if gutter else 0)
    grid = _Grid([left + column * (_whole(panel) + GAP) for column in range(count)], _whole(panel))
    figure = Figure(figsize=(_across(grid, title, subtitle), 1), facecolor="white")
    top = _draw_columns(figure, grid, columns, write_heading(figure, title, subtitle))
    for row, label in zip(rows, labels, strict=True):
        top = _draw_row(figure, grid, row, label, top) + ROW_GAP
    top = _draw_note(figure, note, top - ROW_GAP)
    figure.set_size_inches(figure.get_figwidth(), _whole(top + MARGIN))
    return figure


def render(figure: Figure, dpi: float) -> Image.Image:
    """The figure as an RGB picture."""
    before = figure.dpi
    figure.set_dpi(dpi)
    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return snapshot(canvas)
    finally:
        figure.set_dpi(before)


def snapshot(canvas: FigureCanvasAgg) -> Image.Image:
    """The present content of a canvas as an RGB picture."""
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def save_figure(figure: Figure, path: Path, *, title: str) -> None:
    """Write the figure as a PNG that bears its title, whole or not at all; the same figure gives the same bytes."""
    picture, notes = render(figure, PRINTED), PngInfo()
    notes.add_text("Title", title.encode("utf-8", "replace").decode())
    write_whole(path, lambda file: picture.save(file, "PNG", pnginfo=notes, dpi=(PRINTED, PRINTED)))


def _across(grid: _Grid, title: str, subtitle: str) -> float:
    """The figure's width in inches: that of the panels, or up to a narrow column of print if the words need so much."""
    body = grid.lefts[-1] + grid.panel + MARGIN
    words = (
        width(cut_to_inches(text, NARROWEST, face), face)
        for text, face in zip((title, subtitle), heading_faces(body), strict=True)
    )
    return _whole(max(body, min(NARROWEST, max(words) + 2 * MARGIN)))


def _label(row: Row, grid: _Grid) -> list[tuple[str, Face]]:
    first, _, rest = row.label.partition("\n")
    names = [(line.rstrip(), grid.name) for line in wrapped(first, WIDEST_LABEL, grid.name, 3)]
    return names + [(line.rstrip(), grid.aside) for line in wrapped(rest, WIDEST_LABEL, grid.aside, 2)]


def _draw_columns(figure: Figure, grid: _Grid, columns: Sequence[str], top: float) -> float:
    """Draw the headings, aligned at their last lines; returns where the first row begins, in inches from the top."""
    headings = [wrapped(text, grid.panel - 0.02, grid.name, 2) for text in columns]
    most = max(map(len, headings), default=0)
    for left, lines in zip(grid.lefts, headings, strict=False):
        at = left + grid.panel / 2, top + (most - len(lines)) * grid.name.line
        write(figure, lines, at, grid.name, "center")
    return _whole(top + most * grid.name.line + (0.03 if most else 0))


def _draw_row(figure: Figure, grid: _Grid, row: Row, label: Sequence[tuple[str, Face]], top: float) -> float:
    """Draw one row of panels, its label beside their middle and captions below; returns where it ends."""
    tall = max([0.0, *(_size(panel, grid.panel)[1] for panel in row.panels)]) or grid.panel
    beside = sum(face.line for _, face in label)
    height = _whole(max(tall, beside))
    at = top + (height - beside) / 2
    for line, face in label:
        at = write(figure, [line], (grid.lefts[0] - LABEL_GAP, at), face, "right")
    base = top + (height + tall) / 2
    ends = [_draw_panel(figure, grid, panel, (left, base)) for left, panel in zip(grid.lefts, row.panels, strict=False)]
    return _whole(max([top + height, *ends]))


def _draw_panel(figure: Figure, grid: _Grid, panel: Panel, at: tuple[float, float]) -> float:
    """Draw a picture that stands on the row's base, with its caption below; returns where that ends."""
    (left, base), (across, tall) = at, _size(panel, grid.panel)
    middle, x = left + grid.panel / 2, left + _whole((grid.panel - across) / 2)
    box = Bbox([[x, base - tall], [x + across, base]])
    if panel.image is not None:
        PlacedImage(figure, faded(panel.image) if panel.state == "dead" else on_white(panel.image), box)
    elif panel.state == "dead":
        PlacedImage(figure, Image.new("RGB", (1, 1), FADED), box)
    if panel.state == "dead":
        word = cut_to_inches("dead", across, grid.struck)
        write(figure, [word], (middle, base - tall / 2 - grid.struck.line * 0.6), grid.struck, "center")
    lines = wrapped(panel.label, grid.panel - 0.02, grid.caption, 2)
    return write(figure, lines, (middle, base + 0.005), grid.caption, "center")


def _draw_note(figure: Figure, note: str, top: float) -> float:
    if not note:
        return top
    face = Face(heading_faces(figure.get_figwidth())[1].size * 0.85, QUIET)
    return write(figure, wrapped(note, figure.get_figwidth() - 2 * MARGIN, face, 4), (MARGIN, top + 0.1), face)


def _size(panel: Panel, room: float) -> tuple[float, float]:
    """Width and height of a panel's picture in inches: as wide as there is room, unless it would be very tall."""
    if panel.image is None:
        return room, room if panel.state == "dead" else 0.0
    ratio = panel.image.height / panel.image.width
    return (room, _whole(room * ratio)) if ratio <= TALLEST else (_whole(room * TALLEST / ratio), room * TALLEST)


def _whole(inches: float) -> float:
    """Hundredths of an inch, upwards: edges of pictures then lie between pixels at 100 and at 200 dots an inch."""
    return ceil(round(inches * 100, 6)) / 100
