"""A contact sheet as a picture: a title and a grid of labelled thumbnails, on dark neutral ground. It
knows no atlas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from pathlib import Path

from PIL import Image, ImageDraw

from atlas.report.sheets.canvas import (
    EMPTY,
    GROUND,
    MARGIN,
    QUIET,
    RULE,
    TEXT,
    TITLE,
    canvas,
    cut_to_pixels,
    font_of,
    thumbnails,
)

FAILED, STRIKE = (201, 92, 78), (232, 232, 234)
GAP = 8  # pixels between thumbnails
WIDEST = 4000  # pixels of the whole sheet
THUMBS = ((96, 128), (640, 96))  # images at most, and the pixels of their thumbnails; beyond, 64
SMALL = 128  # pixels of a thumbnail of a section
SECTION_GAP, SECTION = 26, 232  # pixels: above the first section, and of each
COLUMN_COUNTS = (8, 16, 24, 32, 40, 48)
RATIO = 1.5  # width to height, about that of a screen
RAGGED = 0.35  # what a last row that is not full costs, in log ratio


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    label: str
    state: str  # ok, dead, failed, left (not made yet), or blank
    image: Path | None = None
    note: str = ""  # a second line of the label
    picture: Image.Image | None = None  # drawn instead of the image


@dataclass(frozen=True)
class Section:
    """Cells under a title of their own, below the grid."""

    title: str
    note: str
    cells: Sequence[Cell]


def thumb_size(count: int) -> int:
    """Pixels of a thumbnail on a sheet of `count` images."""
    return next((size for most, size in THUMBS if count <= most), 64)


def column_count(count: int, thumb: int) -> int:
    """Columns of a sheet: a multiple of 8, so that channels are found by counting rows, and near to a screen's shape."""
    wide = [n for n in COLUMN_COUNTS if n * (thumb + GAP) + 2 * MARGIN <= WIDEST]

    def cost(columns: int) -> float:
        rows = ceil(count / columns)
        ratio = columns * (thumb + GAP) / (rows * (thumb + _label_space(thumb)))
        return abs(log(ratio / RATIO)) + (RAGGED if count % columns else 0)

    return max(1, min(count, min(wide, key=cost)))


def draw_sheet(
    title: str, subtitle: str, cells: Sequence[Cell], *, thumb: int, columns: int, sections: Sequence[Section] = ()
) -> Image.Image:
    """Draw the cells row by row, and below them the sections."""
    wide = max([columns * (thumb + GAP), *(len(section.cells) * (SMALL + GAP) for section in sections)])
    tall = ceil(len(cells) / columns) * (thumb + _label_space(thumb)) + (SECTION_GAP if sections else 0)
    sheet, (_, head) = canvas((wide - GAP, tall + len(sections) * SECTION), title, subtitle)
    _draw_grid(sheet, cells, head, thumb=thumb, columns=columns)
    for number, section in enumerate(sections):
        _draw_section(sheet, section, head + tall + number * SECTION)
    return sheet


def _draw_grid(sheet: Image.Image, cells: Sequence[Cell], top: int, *, thumb: int, columns: int) -> None:
    draw, step, drop = ImageDraw.Draw(sheet), thumb + GAP, thumb + _label_space(thumb)
    pictures = thumbnails([cell.image for cell in cells], thumb)
    for number, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
        if cell.picture is not None:
            picture = cell.picture.resize((thumb, thumb), Image.Resampling.LANCZOS)
        x, y = MARGIN + number % columns * step, top + number // columns * drop
        _draw_cell(sheet, draw, cell, picture, (x, y, thumb))


def _draw_section(sheet: Image.Image, section: Section, top: int) -> None:
    """A hairline, the title with the note beside it, and one row of thumbnails."""
    draw, base = ImageDraw.Draw(sheet), top + 32
    draw.line((MARGIN, top, sheet.width - MARGIN, top), fill=RULE)
    draw.text((MARGIN, base), section.title, TITLE, font_of(17), anchor="ls")
    beside = MARGIN + round(font_of(17).getlength(section.title)) + 14
    draw.text(
        (beside, base), cut_to_pixels(section.note, 13, sheet.width - MARGIN - beside), QUIET, font_of(13), anchor="ls"
    )
    _draw_grid(sheet, section.cells, base + 16, thumb=SMALL, columns=len(section.cells))


def _draw_cell(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, picture: Image.Image | None, at: tuple[int, int, int]
) -> None:
    x, y, thumb = at
    if cell.state == "blank":
        return
    if picture is not None:
        sheet.paste(_struck(picture) if cell.state == "dead" else picture, (x, y))
    elif cell.state == "left":
        draw.rectangle((x, y, x + thumb - 1, y + thumb - 1), outline=EMPTY)
    else:
        _draw_frame(draw, "failed" if cell.state == "failed" else "missing", x, y, thumb)
    size = _label_size(thumb)
    colour = FAILED if picture is None and cell.state != "left" else QUIET if cell.state != "ok" else TEXT
    text = cut_to_pixels(cell.label, size, thumb + GAP - 2)
    draw.text((x + thumb // 2, y + thumb + 4), text, colour, font_of(size), anchor="mt")
    if cell.note:
        draw.text((x + thumb // 2, y + thumb + 8 + size), cell.note, QUIET, font_of(size), anchor="mt")


def _draw_frame(draw: ImageDraw.ImageDraw, word: str, x: int, y: int, thumb: int) -> None:
    draw.rectangle((x, y, x + thumb - 1, y + thumb - 1), outline=FAILED)
    draw.text((x + thumb // 2, y + thumb // 2), word, FAILED, font_of(_label_size(thumb) + 1), anchor="mm")


def _struck(image: Image.Image) -> Image.Image:
    """The image of a dead feature: dimmed, with a thin smooth diagonal and the word."""
    size, scale = image.width, 4
    dim = Image.blend(image, Image.new("RGB", image.size, GROUND), 0.45)
    mask = Image.new("L", (size * scale, size * scale))
    ImageDraw.Draw(mask).line((0, size * scale, size * scale, 0), fill=130, width=scale)
    dim.paste(STRIKE, mask=mask.resize((size, size), Image.Resampling.BOX))
    font = _label_size(size) + 1
    ImageDraw.Draw(dim).text((6, 5), "dead", STRIKE, font_of(font), anchor="lt")
    return dim


def _label_size(thumb: int) -> int:
    return 10 if thumb < 96 else 12 if thumb < 200 else 15


def _label_space(thumb: int) -> int:
    return _label_size(thumb) + 14
