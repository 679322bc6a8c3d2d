"""A figure for print that is a grid of pictures: named rows, headed columns, a caption below each picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from atlas.report.page.lettering import QUIET, Face, cut_to_inches, wrapped
from atlas.report.page.paper import DOTS, Heading, Picture, finish, on_white, stage, write

GAP, ROW_GAP, LABEL_GAP = 10, 18, 24  # dots: between pictures; below a row's captions; beside a row's label
WIDEST_LABEL = 1.5  # inches
STRUCK = "#4a4a4a"  # the word on a dead feature
TALLEST = 2.0  # height of a picture, at most, in widths of a panel
DEAD, FADED = 0.16, (228, 228, 228)  # the share that is left of a dead feature's picture, and the gray it fades into


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
    """The columns of a stage."""

    axes: Axes
    panel: int  # dots of a panel's width

    @property
    def caption(self) -> Face:
        return Face(min(7.0, 5.2 + 1.2 * self.panel / DOTS))

    @property
    def name(self) -> Face:
        return Face(min(9.0, self.caption.size + 1.2))

    @property
    def room(self) -> float:
        """Inches of a line below or above a panel."""
        return self.panel / DOTS - 0.02

    def left(self, column: int) -> int:
        return column * (self.panel + GAP)


def draw_panels(
    rows: Sequence[Row], *, heading: Heading, columns: Sequence[str] = (), note: str = "", panel: float = 1.25
) -> Figure:
    """Draw the rows below each other; `panel` is the width of a panel in inches, and a row is as tall as its pictures."""
    grid = _Grid(stage(), round(panel * DOTS))
    top = _draw_columns(grid, columns)
    for row in rows:
        top = _draw_row(grid, row, top) + ROW_GAP
    count = max([1, len(columns), *(len(row.panels) for row in rows)])
    return finish(grid.axes, (grid.left(count) - GAP, top - ROW_GAP * bool(rows)), heading, note=note)


def _draw_columns(grid: _Grid, columns: Sequence[str]) -> int:
    """Draw the headings, aligned at their last lines; returns where the first row begins."""
    headings = [wrapped(text, grid.room, grid.name, 2) for text in columns]
    line, most = grid.name.line * DOTS, max(map(len, headings), default=0)
    for column, lines in enumerate(headings):
        at = grid.left(column) + grid.panel / 2, (most - len(lines)) * line
        write(grid.axes, lines, at, grid.name, "center")
    return round(most * line) + 6 * bool(most)


def _draw_row(grid: _Grid, row: Row, top: int) -> int:
    """Draw one row of panels, its label beside their middle and captions below; returns where it ends."""
    label = _label(row, grid)
    beside = sum(len(lines) * face.line for lines, face in label) * DOTS
    tall = max([0, *(_size(panel, grid.panel)[1] for panel in row.panels)]) or grid.panel
    height = round(max(tall, beside))
    at = top + (height - beside) / 2
    for lines, face in label:
        at = write(grid.axes, lines, (-LABEL_GAP, at), face, "right")
    base = top + (height + tall) // 2
    ends = [_draw_panel(grid, panel, grid.left(column), base) for column, panel in enumerate(row.panels)]
    return round(max([top + height, *ends]))


def _label(row: Row, grid: _Grid) -> list[tuple[list[str], Face]]:
    """Lines and how they look, of the row's name and of what is said of it."""
    name, _, rest = row.label.partition("\n")
    parts = ((name, grid.name, 3), (rest, Face(grid.caption.size, QUIET), 2))
    return [([line.rstrip() for line in wrapped(text, WIDEST_LABEL, face, most)], face) for text, face, most in parts]


def _draw_panel(grid: _Grid, panel: Panel, left: int, base: int) -> float:
    """Draw a picture that stands on the row's base, with its caption below; returns where that ends."""
    (across, tall), middle = _size(panel, grid.panel), left + grid.panel / 2
    if tall:
        Picture(grid.axes, _picture(panel), (left + (grid.panel - across) // 2, base - tall, across, tall))
    if panel.state == "dead":
        struck = Face(grid.caption.size, STRUCK)
        word = cut_to_inches("dead", across / DOTS, struck)
        write(grid.axes, [word], (middle, base - tall / 2 - struck.line * DOTS * 0.6), struck, "center")
    return write(
        grid.axes, wrapped(panel.label, grid.room, grid.caption, 2), (middle, base + 1), grid.caption, "center"
    )


def _picture(panel: Panel) -> Image.Image:
    """A panel's picture, or gray; that of a dead feature is grayscale and nearly gone."""
    image = Image.new("RGB", (1, 1), FADED) if panel.image is None else on_white(panel.image)
    if panel.state != "dead":
        return image
    return Image.blend(Image.new("RGB", image.size, FADED), image.convert("L").convert("RGB"), DEAD)


def _size(panel: Panel, room: int) -> tuple[int, int]:
    """Width and height of a panel's picture in dots: as wide as there is room, unless it would be very tall."""
    if panel.image is None:
        return room, room if panel.state == "dead" else 0
    ratio = panel.image.height / panel.image.width
    return (
        (room, round(room * ratio) or 1)
        if ratio <= TALLEST
        else (round(room * TALLEST / ratio) or 1, round(room * TALLEST))
    )
