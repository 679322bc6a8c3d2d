"""A contact sheet as a picture: a title and a grid of labelled thumbnails, on dark neutral ground. Knows no atlas."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import ceil, log
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

GROUND, TITLE, TEXT, QUIET = (20, 21, 23), (236, 236, 238), (168, 170, 175), (112, 115, 122)
FAILED, EMPTY, STRIKE = (201, 92, 78), (58, 61, 67), (232, 232, 234)
MARGIN, GAP = 40, 8  # pixels: around the sheet, between thumbnails
WIDEST, NARROWEST = 4000, 560  # pixels of the whole sheet
THUMBS = ((96, 128), (640, 96))  # up to so many images: thumbnails of so many pixels; 64 beyond
COLUMNS = (8, 16, 24, 32, 40, 48)
RATIO = 1.5  # width to height, about that of a screen
RAGGED = 0.35  # what a last row that is not full costs, in log ratio


@dataclass(frozen=True)
class Cell:
    """One place of the grid. States: ok, dead, failed, left (not made yet), and blank."""

    label: str
    state: str
    image: Path | None = None


def thumb_size(count: int) -> int:
    return next((size for most, size in THUMBS if count <= most), 64)


def column_count(count: int, thumb: int) -> int:
    """Columns of a sheet: a multiple of 8, so that channels are found by counting rows, and near to a screen's shape."""
    wide = [n for n in COLUMNS if n * (thumb + GAP) + 2 * MARGIN <= WIDEST]

    def cost(columns: int) -> float:
        rows = ceil(count / columns)
        ratio = columns * (thumb + GAP) / (rows * (thumb + _label_space(thumb)))
        return abs(log(ratio / RATIO)) + (RAGGED if count % columns else 0)

    return max(1, min(count, min(wide, key=cost)))


def draw_sheet(title: str, subtitle: str, cells: Sequence[Cell], *, thumb: int, columns: int) -> Image.Image:
    """Draw the cells row by row."""
    step, drop = thumb + GAP, thumb + _label_space(thumb)
    width = max(2 * MARGIN + columns * step - GAP, NARROWEST)
    large = min(48, max(24, width // 64))
    small, head = round(large * 0.6), MARGIN + round(large * 2.9)
    sheet = Image.new("RGB", (width, head + MARGIN + ceil(len(cells) / columns) * drop), GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN + large), _fit(title, large, width - 2 * MARGIN), TITLE, _font(large), anchor="ls")
    draw.text((MARGIN, MARGIN + 2 * large), _fit(subtitle, small, width - 2 * MARGIN), TEXT, _font(small), anchor="ls")
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for place, (cell, picture) in enumerate(
            zip(cells, pool.map(lambda cell: _thumb(cell, thumb), cells), strict=True)
        ):
            x, y = MARGIN + place % columns * step, head + place // columns * drop
            _draw_cell(sheet, draw, cell, picture, (x, y, thumb))
    return sheet


def _draw_cell(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, picture: Image.Image | None, at: tuple[int, int, int]
) -> None:
    x, y, thumb = at
    if cell.state == "blank":
        return
    if picture is not None:
        sheet.paste(picture, (x, y))
    elif cell.state == "left":
        draw.rectangle((x, y, x + thumb - 1, y + thumb - 1), outline=EMPTY)
    else:
        _draw_frame(draw, "failed" if cell.state == "failed" else "missing", x, y, thumb)
    size = _label_size(thumb)
    colour = FAILED if picture is None and cell.state != "left" else QUIET if cell.state != "ok" else TEXT
    text = _fit(cell.label, size, thumb + GAP - 2)
    draw.text((x + thumb // 2, y + thumb + 4), text, colour, _font(size), anchor="mt")


def _draw_frame(draw: ImageDraw.ImageDraw, word: str, x: int, y: int, thumb: int) -> None:
    draw.rectangle((x, y, x + thumb - 1, y + thumb - 1), outline=FAILED)
    draw.text((x + thumb // 2, y + thumb // 2), word, FAILED, _font(_label_size(thumb) + 1), anchor="mm")


def _thumb(cell: Cell, size: int) -> Image.Image | None:
    """The image as a square of `size`; a dead one is struck through. None when there is none that can be read."""
    if cell.image is None:
        return None
    try:
        with Image.open(cell.image) as image:
            small = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    except (OSError, SyntaxError):
        return None
    return _struck(small) if cell.state == "dead" else small


def _struck(image: Image.Image) -> Image.Image:
    """Dimmed, with a thin smooth diagonal and the word."""
    size, scale = image.width, 4
    dim = Image.blend(image, Image.new("RGB", image.size, GROUND), 0.45)
    mask = Image.new("L", (size * scale, size * scale))
    ImageDraw.Draw(mask).line((0, size * scale, size * scale, 0), fill=130, width=scale)
    dim.paste(STRIKE, mask=mask.resize((size, size), Image.Resampling.BOX))
    font = _label_size(size) + 1
    ImageDraw.Draw(dim).text((6, 5), "dead", STRIKE, _font(font), anchor="lt")
    return dim


def _fit(text: str, size: int, width: int) -> str:
    """A text cut to a width in pixels, with an ellipsis where it was cut."""
    if _font(size).getlength(text) <= width:
        return text
    while text and _font(size).getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _label_size(thumb: int) -> int:
    return 10 if thumb < 96 else 12 if thumb < 200 else 15


def _label_space(thumb: int) -> int:
    return _label_size(thumb) + 14


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
