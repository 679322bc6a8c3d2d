"""The features of a model on a plane as a picture: thumbnails where there is room, dots for the
others, colours for layers.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atlas.report.colours import Colour, layer_colours
from atlas.report.sheets.canvas import EMPTY, MARGIN, NARROWEST, TEXT, canvas, font_of, thumbnails, title_size

Points = NDArray[np.floating]  # (n, 2)
PLANE_SIDE = 2200  # pixels of the longer side of the plane
SMALLEST, LARGEST = 40, 128  # pixels of a cell
CROWD = 1.5  # features to a cell that is taken, at most, if the cells are not the smallest
EVEN = 0.6  # of the way to even spacing along each axis: gaps between groups mean nothing in t-SNE
RULE, DOT, SPACE = 2, 3, 2  # pixels: the line in its layer's colour below a thumbnail, a dot, and between all these
BELOW = RULE + DOT + 3 * SPACE
AROUND = tuple(product((0, -1, 1), repeat=2))  # to a cell itself and to those beside it
LEGEND_ROW = 1.5  # height of a row of the legend, in heights of the title


def draw_layout(
    points: Points, images: Sequence[Path | None], *, title: str, subtitle: str, layers: Sequence[str]
) -> Image.Image:
    """Draw features at (n, 2) points in [0, 1], x right and y down; `layers` names the layer of each, first layers first.

    The plane is a grid of cells, its wide gaps narrowed. The feature nearest to the middle of its cell has a thumbnail
    there, others have one in a free cell beside it, or else a dot below the cell's thumbnail, as many as fit.
    """
    names = list(dict.fromkeys(layers))
    colours = dict(zip(names, layer_colours(len(names)), strict=True))
    cell = cell_size(points)
    groups = cells(points, cell)
    rows, columns = (1 + max(at) for at in zip(*groups, strict=True))
    width = columns * cell
    legend = _legend(names, max(width, NARROWEST - 2 * MARGIN), unit := title_size(width + 2 * MARGIN))
    sheet, (x, y) = canvas((width, rows * cell + round(LEGEND_ROW * unit * (1 + legend[-1][1]))), title, subtitle)
    pictures = thumbnails([images[group[0]] for group in groups.values()], cell - BELOW)
    for ((row, column), group), picture in zip(groups.items(), pictures, strict=True):
        _draw_cell(sheet, (x + column * cell, y + row * cell), picture, [colours[layers[k]] for k in group], cell)
    draw, font, top = ImageDraw.Draw(sheet), font_of(round(unit * 0.6)), y + rows * cell + unit
    for name, (left, row) in zip(names, legend, strict=True):
        level = top + row * LEGEND_ROW * unit
        draw.ellipse((x + left, level - unit * 0.2, x + left + unit * 0.4, level + unit * 0.2), colours[name])
        draw.text((x + left + unit * 0.7, level), name, TEXT, font, anchor="lm")
    return sheet


def cell_size(points: Points) -> int:
    """Pixels of a cell: as large as lets most features have one to themselves, measured where the features are."""
    for cell in range(LARGEST, SMALLEST, -8):
        if len(points) <= (PLANE_SIDE // cell + 1) ** 2 and len(points) <= CROWD * len(cells(points, cell)):
            return cell
    return SMALLEST


def cells(points: Points, cell: int) -> dict[tuple[int, int], list[int]]:
    """The features of each cell (row, column) that has any, the one with the thumbnail first; ties in their order."""
    at = _evened(points) * (PLANE_SIDE - cell) / cell
    middle = np.rint(at).astype(int)
    groups: dict[tuple[int, int], list[int]] = {}
    for feature in np.argsort(np.abs(at - middle).max(1), kind="stable"):
        x, y = middle[feature]
        beside = sorted(
            ((float(np.hypot(*(at[feature] - (x + i, y + j)))), (int(y + j), int(x + i))) for i, j in AROUND)
        )
        home = next((key for _, key in beside if key not in groups and min(key) >= 0), beside[0][1])
        groups.setdefault(home, []).append(int(feature))
    return dict(sorted(groups.items()))


def _evened(points: Points) -> Points:
    """The points from 0 on, the longer side 1, wide gaps narrowed."""
    spans = np.ptp(points, axis=0)
    ranks = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0, kind="stable") / max(len(points) - 1, 1)
    return ((1 - EVEN) * (points - points.min(0)) + EVEN * ranks * spans) / max(float(spans.max()), 1e-9)


def _draw_cell(
    sheet: Image.Image, at: tuple[int, int], picture: Image.Image | None, colours: Sequence[Colour], cell: int
) -> None:
    """A thumbnail over a line in its layer's colour, and a dot for each other feature of the cell."""
    draw, (x, y), size = ImageDraw.Draw(sheet), at, cell - BELOW
    if picture is None:
        draw.rectangle((x, y, x + size - 1, y + size - 1), outline=EMPTY)
    else:
        sheet.paste(picture, (x, y))
    y += size + SPACE
    draw.rectangle((x, y, x + size - 1, y + RULE - 1), colours[0])
    for k, colour in enumerate(colours[1 : 1 + size // (DOT + SPACE)]):
        left, top = x + k * (DOT + SPACE), y + RULE + SPACE
        draw.rectangle((left, top, left + DOT - 1, top + DOT - 1), colour)


def _legend(names: Sequence[str], width: int, unit: int) -> list[tuple[int, int]]:
    """Where each layer's entry stands: pixels from the left, and row."""
    font, left, row, entries = font_of(round(unit * 0.6)), 0, 0, []
    for name in names:
        wide = round(font.getlength(name) + unit * 1.8)
        if left and left + wide > width:
            left, row = 0, row + 1
        entries.append((left, row))
        left += wide
    return entries
