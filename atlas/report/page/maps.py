"""The similarity map of a layer as a picture: a heat map in clustered order, families apart, images
along its edges.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atlas.report.colours import SELF, Scale, scale_of
from atlas.report.page.edges import THUMBED, Spans, depth, draw_bands, family_bands, feature_bands
from atlas.report.sheets.canvas import GROUND, MARGIN, QUIET, TEXT, canvas, cut_to_pixels, font_of, title_size

Matrix = NDArray[np.floating]  # (n, n)
Families = NDArray[np.integer]  # (n,) from 0, rising
LARGEST_CELL = 72  # pixels of a feature's line
MAP_SIDE = 2048  # pixels of the map, at most, without the breaks
BREAK = 3  # pixels between families
LEGEND = 4.2  # height of all below the map, in heights of the title
BAR = 16, 0.6  # width and height of the colour bar, in heights of the title


def draw_map(
    matrix: Matrix,
    families: Families,
    *,
    title: str,
    subtitle: str,
    legend: str,
    images: Sequence[Path | None],
    labels: Sequence[str],
) -> Image.Image:
    """Draw (n, n) similarities; families (n,), images (n,) and labels (n,) stand in the matrix's clustered order.

    Labels are channel numbers; the legend is the measure's name and unit in words. The diagonal is not read.
    """
    off = ~np.eye(len(matrix), dtype=bool)
    scale, matrix = scale_of(matrix[off]), np.where(off, matrix, 0)
    medoids = representatives(matrix, families)
    small, groups = _coarse(matrix, families)
    spans = line_spans(groups)
    bands = feature_bands(spans, images, labels)
    if cell_size(len(groups)) < THUMBED:
        bands += family_bands(_joined(spans, groups), [images[k] for k in medoids], [labels[k] for k in medoids])
    side, edge = int(spans[-1, 1]), depth(bands)
    unit = title_size(edge + side + 2 * MARGIN)
    sheet, (x, y) = canvas((edge + side, edge + side + round(LEGEND * unit)), title, subtitle)
    corner = x + edge, y + edge
    sheet.paste(_heat(small, spans, scale), corner)
    draw_bands(sheet, corner, bands)
    _draw_legend(sheet, (corner[0], corner[1] + side + unit), scale, legend)
    return sheet


def cell_size(count: int) -> int:
    """Pixels of a feature's line: whole, so that all lines are alike."""
    return min(LARGEST_CELL, max(1, MAP_SIDE // count))


def line_spans(families: Families) -> Spans:
    """First pixel of each feature's line along the map, and the first one after: (n, 2)."""
    cell = cell_size(len(families))
    first = np.arange(len(families)) * cell + families * BREAK
    return np.stack([first, first + cell], axis=1)


def representatives(matrix: Matrix, families: Families) -> list[int]:
    """The medoid of each family: the index of the feature that is most like the others of its family."""
    alike = np.where(families[:, None] == families, matrix, 0).sum(1)  # the diagonal is 0
    return [
        int(members[alike[members].argmax()]) for members in map(np.flatnonzero, np.eye(families[-1] + 1)[families].T)
    ]


def _coarse(matrix: Matrix, families: Families) -> tuple[Matrix, Families]:
    """Means over squares within families, where there are more features than the map has pixels."""
    step = -(-len(matrix) // MAP_SIDE)
    if step == 1:
        return matrix, families
    starts = np.flatnonzero(np.diff(families, prepend=-1))
    stops = np.append(starts[1:], len(families))
    first = np.concatenate([np.arange(a, b, step) for a, b in zip(starts, stops, strict=True)])
    sizes = np.diff(np.append(first, len(families)))
    sums = np.add.reduceat(np.add.reduceat(matrix, first, axis=0), first, axis=1)
    return sums / np.outer(sizes, sizes), families[first]


def _joined(spans: Spans, families: Families) -> Spans:
    first, last = (
        np.searchsorted(families, np.arange(families[-1] + 1)),
        np.append(np.flatnonzero(np.diff(families)), -1),
    )
    return np.stack([spans[first, 0], spans[last, 1]], axis=1)


def _heat(matrix: Matrix, spans: Spans, scale: Scale) -> Image.Image:
    colours = scale.paint(matrix)
    colours[np.diag_indices(len(matrix))] = SELF
    line = np.full(spans[-1, 1], -1)  # the feature that each line of pixels shows
    for feature, (first, after) in enumerate(spans):
        line[first:after] = feature
    pixels = colours[np.ix_(line, line)]
    pixels[line < 0], pixels[:, line < 0] = GROUND, GROUND
    return Image.fromarray(pixels)


def _draw_legend(sheet: Image.Image, at: tuple[int, int], scale: Scale, legend: str) -> None:
    """The measure in words, the colour bar with values, and what the diagonal's grey means."""
    draw, (x, y), unit = ImageDraw.Draw(sheet), at, title_size(sheet.width)
    room, words, font = sheet.width - MARGIN - x, round(unit * 0.6), font_of(round(unit * 0.5))
    draw.text((x, y), cut_to_pixels(legend, words, room), TEXT, font_of(words), anchor="lt")
    y, height = y + unit, round(BAR[1] * unit)
    width = min(BAR[0] * unit, room // 2)
    _draw_bar(sheet, (x, y, x + width, y + height), scale)
    for value in scale.ticks():
        middle = x + round((value - scale.low) / (scale.high - scale.low) * (width - 1))
        draw.line((middle, y + height, middle, y + height + 4), QUIET)
        draw.text((middle, y + height + 8), f"{value:g}", TEXT, font, anchor="mt")
    x += width + 2 * unit
    draw.rectangle((x, y, x + height - 1, y + height - 1), SELF)
    note = cut_to_pixels("a feature with itself", round(unit * 0.5), sheet.width - MARGIN - x - unit)
    draw.text((x + unit, y + height / 2), note, QUIET, font, anchor="lm")


def _draw_bar(sheet: Image.Image, box: tuple[int, int, int, int], scale: Scale) -> None:
    """The colours from low to high, and a point at either end for all that lies beyond."""
    x, y, right, bottom = box
    bar = scale.paint(np.linspace(scale.low, scale.high, right - x))[None].repeat(bottom - y, axis=0)
    sheet.paste(Image.fromarray(bar), (x, y))
    draw, middle, point = ImageDraw.Draw(sheet), (y + bottom - 1) / 2, (bottom - y) // 2
    draw.polygon([(x - 1, y), (x - 1 - point, middle), (x - 1, bottom - 1)], tuple(map(int, scale.shades[0])))
    draw.polygon([(right, y), (right + point, middle), (right, bottom - 1)], tuple(map(int, scale.shades[-1])))
