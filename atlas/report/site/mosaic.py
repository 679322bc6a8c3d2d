"""A map as one picture: the thumbnails of a grid side by side, cut from the sheets that the site has of every layer."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atlas.report.sheets.canvas import GROUND
from atlas.report.site.grid import Grid
from atlas.store.files import readable

DRAWING = "2"  # raised when the drawing changes
WIDEST = 2048  # pixels of the picture: what every browser decodes at once, and a screen shows
SMALLEST, LARGEST = 8, 64  # pixels of a cell
BAND, BAND_QUALITY = (1440, 430), 60  # pixels at most, and of WebP: the first page is to come soon
SPACED = 24  # pixels of a cell from which on a line parts it from the next
QUALITY, METHOD = 72, 4  # of WebP: thumbnails beside each other hide more than one alone


class Source(NamedTuple):
    """Thumbnails on one sheet: the places there, counted in rows from 0, and the cells of the grid that they go to."""

    sheet: Path
    places: NDArray[np.intp]
    cells: NDArray[np.intp]


def cell_of(grid: Grid) -> int:
    """Pixels of a cell."""
    return int(np.clip(WIDEST // max(grid.columns, grid.rows), SMALLEST, LARGEST))


def draw(grid: Grid, sources: Sequence[Source], side: int) -> Image.Image:
    """Draw the grid; a sheet that is not there leaves its cells empty. side: thumbnails along a side of a sheet."""
    cell = cell_of(grid)
    tiles = np.full((grid.rows * grid.columns, cell, cell, 3), GROUND, np.uint8)
    for source in sources:
        if source.sheet.is_file():
            tiles[source.cells] = _thumbnails(source.sheet, side, cell)[source.places]
    if cell >= SPACED:
        tiles[:, -1] = tiles[:, :, -1] = GROUND
    rows = tiles.reshape(grid.rows, grid.columns, cell, cell, 3).swapaxes(1, 2)
    return Image.fromarray(rows.reshape(grid.rows * cell, grid.columns * cell, 3))


def _thumbnails(sheet: Path, side: int, cell: int) -> NDArray[np.uint8]:
    """(side · side, cell, cell, 3)."""
    with Image.open(readable(sheet)) as image:
        small = np.asarray(image.convert("RGB").resize((side * cell, side * cell), Image.Resampling.BOX))
    return small.reshape(side, cell, side, cell, 3).swapaxes(1, 2).reshape(side * side, cell, cell, 3)


def band_of(picture: Image.Image) -> Image.Image:
    """The middle of a mosaic in the shape of BAND, no larger than that."""
    wide, high = picture.width, min(picture.height, round(picture.width * BAND[1] / BAND[0]))
    top = (picture.height - high) // 2
    band = picture.crop((0, top, wide, top + high))
    band.thumbnail(BAND, Image.Resampling.LANCZOS)
    return band


def as_webp(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """A picture as WebP."""
    data = io.BytesIO()
    picture.save(data, "WEBP", quality=quality, method=METHOD)
    return data.getvalue()
