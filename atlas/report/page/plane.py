"""The features of a model on a plane as a picture: thumbnails where there is room, dots for the
others, colours for layers.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atlas.report.colours import Colour, layer_colours
from atlas.report.page.lettering import cut_to_inches, width
from atlas.report.page.paper import (
    DOTS,
    MARGIN,
    NARROWEST,
    SCREEN,
    Heading,
    Picture,
    Theme,
    finish,
    heading_faces,
    hexed,
    stage,
)
from atlas.report.sheets.canvas import EMPTY, thumbnails

Points = NDArray[np.floating]  # (n, 2)
PLANE_SIDE = 2200  # pixels of the longer side of the plane
SMALLEST, LARGEST = 40, 128  # pixels of a cell
CROWD = 1.5  # features to a cell that is taken, at most, if the cells are not the smallest
EVEN = 0.6  # of the way to even spacing along each axis: gaps between groups mean nothing in t-SNE
DOT, SPACE = 3, 2  # pixels: a dot, and between it, the line in its layer's colour, and the thumbnail above
AROUND = tuple(product((0, -1, 1), repeat=2))  # to a cell itself and to those beside it
KEY_GAP = 24  # dots between the plane and the layers' names


def draw_layout(points: Points, images: Sequence[Path | None], *, heading: Heading, layers: Sequence[str]) -> Figure:
    """Draw features at (n, 2) points in [0, 1], x right and y down; `layers` names the layer of each, first layers first.

    The plane is a grid of cells, its wide gaps narrowed. The feature nearest to the middle of its cell has a thumbnail
    there, others have one in a free cell beside it, or else a dot below the cell's thumbnail, as many as fit.
    """
    names = list(dict.fromkeys(layers))
    colours = dict(zip(names, layer_colours(len(names)), strict=True))
    cell = cell_size(points)
    groups = cells(points, cell)
    rows, columns = (1 + max(at) for at in zip(*groups, strict=True))
    plane = Image.new("RGB", (columns * cell, rows * cell), SCREEN.ground)
    pictures = thumbnails([images[group[0]] for group in groups.values()], cell - below(cell))
    for ((row, column), group), picture in zip(groups.items(), pictures, strict=True):
        _draw_cell(plane, (column * cell, row * cell), picture, [colours[layers[k]] for k in group], cell)
    axes = stage(SCREEN)
    Picture(axes, plane, (0, 0, *plane.size))
    _draw_key(axes, plane.size, colours, SCREEN)
    return finish(axes, plane.size, heading, theme=SCREEN)


def below(cell: int) -> int:
    """Pixels below the thumbnail of a cell: the line in its layer's colour, and dots."""
    return rule(cell) + DOT + 3 * SPACE


def rule(cell: int) -> int:
    """Pixels of the line in its layer's colour below a cell's thumbnail."""
    return max(3, cell // 16)


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
    plane: Image.Image, at: tuple[int, int], picture: Image.Image | None, colours: Sequence[Colour], cell: int
) -> None:
    """A thumbnail over a line in its layer's colour, and a dot for each other feature of the cell."""
    draw, (x, y), size = ImageDraw.Draw(plane), at, cell - below(cell)
    if picture is None:
        draw.rectangle((x, y, x + size - 1, y + size - 1), outline=EMPTY)
    else:
        plane.paste(picture, (x, y))
    y += size + SPACE
    draw.rectangle((x, y, x + size - 1, y + rule(cell) - 1), colours[0])
    y += rule(cell) + SPACE
    for k, colour in enumerate(colours[1 : 1 + size // (DOT + SPACE)]):
        left = x + k * (DOT + SPACE)
        draw.rectangle((left, y, left + DOT - 1, y + DOT - 1), colour)


def _draw_key(axes: Axes, size: tuple[int, int], colours: Mapping[str, Colour], theme: Theme) -> None:
    """The layers in their colours below the plane, row by row, in columns of one width."""
    wide = max(size[0] / DOTS, NARROWEST - 2 * MARGIN)
    face = heading_faces(wide, theme)[1]
    names = [cut_to_inches(name, wide / 2, face) for name in colours]
    count = max(1, int(wide / (max(width(name, face) for name in names) + 2.5 * face.size / 72)))
    patches = [Patch(color=hexed(colour), label=name) for name, colour in zip(names, colours.values(), strict=True)]
    ordered = [patch for column in range(count) for patch in patches[column::count]]
    axes.legend(
        handles=ordered,
        ncols=count,
        loc="upper left",
        bbox_to_anchor=(0, size[1] + KEY_GAP),
        bbox_transform=axes.transData,
        prop=face.font,
        labelcolor=theme.ink,
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1,
        handleheight=0.7,
        handletextpad=0.5,
        columnspacing=1,
    )
