"""A layer's similarity matrix as a page: a heat map in clustered order, families apart, images along two of its edges."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageColor

from atlas.report.colours import SELF, Scale, scale_of
from atlas.report.page.layer_map import Families, LayerMap, Matrix
from atlas.report.page.lettering import Face, cut_to_inches, families, width
from atlas.report.page.paper import (
    DOTS,
    NARROWEST,
    SCREEN,
    Heading,
    Picture,
    Theme,
    finish,
    heading_faces,
    hexed,
    page_of,
    stage,
    write,
)
from atlas.report.sheets.canvas import thumbnails

Spans = NDArray[np.integer]  # (n, 2) first dot along an edge, and the first one after
LARGEST_CELL = 72  # dots of a feature's line
BREAK = 3  # dots between families
THUMBED, NUMBERED = 20, 16  # dots of a line from which it has an image, and a number
FAMILY_THUMBED, LARGEST_FAMILY = 24, 72  # dots of a family from which it has an image, and of that image at most
SPACE, HOOK = 6, 6  # dots between what lies along an edge; of the ends of a family's bracket
NUMBER = 5.5, 8.0  # points of a number: the smallest that is still read in print, and the largest
BAR, KEY_GAP = (440, 24), 24  # dots: width and height of the colour bar; between the map and the words below


def draw_matrix(layer_map: LayerMap, *, heading: Heading, legend: str, side: int, theme: Theme = SCREEN) -> Figure:
    """Draw a map at most `side` dots wide, without the breaks; the legend is the measure's name and unit in words."""
    matrix, groups, images, labels = layer_map
    off = ~np.eye(len(matrix), dtype=bool)
    scale, matrix = scale_of(matrix[off]), np.where(off, matrix, 0)
    small, coarse = _coarse(matrix, groups, side)
    spans = line_spans(coarse, side)
    edge = int(spans[-1, 1])
    axes = stage(theme)
    axes.set(xlim=(0, edge), ylim=(edge, 0))
    Picture(axes, _heat(small, spans, scale, theme), (0, 0, edge, edge))
    outs = np.zeros(len(spans), int)
    if cell_size(len(coarse), side) >= THUMBED:
        outs = _draw_images(axes, spans, images, SPACE, theme)
    if cell_size(len(coarse), side) >= NUMBERED:
        outs = np.array([_draw_numbers(axes, spans, labels, outs, theme)])
    if cell_size(len(coarse), side) < THUMBED:
        chosen = medoids(matrix, groups)
        places = _joined(spans, coarse)
        out = int(outs.max()) + SPACE
        _draw_families(axes, places, [images[k] for k in chosen], [labels[k] for k in chosen], out, theme)
    _draw_key(axes, edge, scale, legend, theme)
    return finish(axes, (edge, edge), heading, theme=theme)


def cell_size(count: int, side: int) -> int:
    """Dots of a feature's line: whole, so that all lines are alike."""
    return min(LARGEST_CELL, max(1, side // count))


def line_spans(groups: Families, side: int) -> Spans:
    """First dot of each feature's line along the map, and the first one after: (n, 2)."""
    cell = cell_size(len(groups), side)
    first = np.arange(len(groups)) * cell + groups * BREAK
    return np.stack([first, first + cell], axis=1)


def medoids(matrix: Matrix, groups: Families) -> list[int]:
    """The medoid of each family: the index of the feature that is most like the others of its family."""
    alike = np.where(groups[:, None] == groups, matrix, 0).sum(1)  # the diagonal is 0
    members = (np.flatnonzero(groups == family) for family in range(groups[-1] + 1))
    return [int(family[alike[family].argmax()]) for family in members]


def _coarse(matrix: Matrix, groups: Families, side: int) -> tuple[Matrix, Families]:
    """Means over squares within families, where there are more features than the map has dots."""
    step = -(-len(matrix) // side)
    if step == 1:
        return matrix, groups
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    stops = np.append(starts[1:], len(groups))
    first = np.concatenate([np.arange(a, b, step) for a, b in zip(starts, stops, strict=True)])
    sizes = np.diff(np.append(first, len(groups)))
    sums = np.add.reduceat(np.add.reduceat(matrix, first, axis=0), first, axis=1)
    return sums / np.outer(sizes, sizes), groups[first]


def _joined(spans: Spans, groups: Families) -> Spans:
    """First and last dot of each family."""
    first = np.searchsorted(groups, np.arange(groups[-1] + 1))
    return np.stack([spans[first, 0], spans[np.append(first[1:], len(groups)) - 1, 1]], axis=1)


def _heat(matrix: Matrix, spans: Spans, scale: Scale, theme: Theme) -> Image.Image:
    """A pixel for each dot."""
    colours = scale.paint(matrix)
    colours[np.diag_indices(len(matrix))] = SELF
    line = np.full(spans[-1, 1], -1)  # the feature that each line of dots shows
    for feature, (first, after) in enumerate(spans):
        line[first:after] = feature
    pixels = colours[np.ix_(line, line)]
    pixels[line < 0] = pixels[:, line < 0] = ImageColor.getrgb(theme.ground)
    return Image.fromarray(pixels)


def _draw_images(axes: Axes, spans: Spans, images: Sequence[Path | None], out: int, theme: Theme) -> Spans:
    """Draw a square at the middle of each span of both edges, `out` dots from the map; returns (n,) where each ends."""
    sizes = np.minimum(spans[:, 1] - spans[:, 0] - 2, LARGEST_FAMILY)
    for image, middle, size in zip(thumbnails(images), (spans.sum(1) // 2).tolist(), sizes.tolist(), strict=True):
        for x, y in ((middle - size // 2, -out - size), (-out - size, middle - size // 2)):
            if image is None:
                axes.add_patch(Rectangle((x, y), size, size, fill=False, edgecolor=theme.empty, lw=0.5, clip_on=False))
            else:
                Picture(axes, image, (x, y, size, size))
    return out + sizes


def _draw_numbers(axes: Axes, spans: Spans, labels: Sequence[str], outs: Spans, theme: Theme) -> int:
    """Write a number at each span (n,) dots from the map, along the top upright where all fit, else turned to read upwards.

    Returns how far the longest reaches.
    """
    cell = int((spans[:, 1] - spans[:, 0]).min())
    face = Face(float(np.clip(cell * 72 / DOTS * 0.85, *NUMBER)), theme.ink)
    widest = ceil(max(width(label, face) for label in labels) * DOTS)
    rotation = 90 if widest > cell - 2 else 0
    for label, middle, out in zip(labels, spans.mean(1), (outs + SPACE).tolist(), strict=True):
        axes.text(middle, -out, label, ha="center", va="bottom", rotation=rotation, **face.words)
        axes.text(-out, middle, label, ha="right", va="center_baseline", **face.words)
    return int(outs.max()) + SPACE + widest


def _draw_families(
    axes: Axes, spans: Spans, images: Sequence[Path | None], labels: Sequence[str], out: int, theme: Theme
) -> None:
    """Draw a bracket for each family, and where there is room the image and the number of the feature that stands for it."""
    for first, after in spans:
        line = (first, first, after - 1, after - 1), (-out, -out - HOOK, -out - HOOK, -out)
        for x, y in (line, line[::-1]):
            axes.plot(x, y, color=theme.quiet, linewidth=0.5, clip_on=False)
    wide = np.flatnonzero(spans[:, 1] - spans[:, 0] >= FAMILY_THUMBED).tolist()
    if wide:
        outs = _draw_images(axes, spans[wide], [images[k] for k in wide], out + HOOK + SPACE, theme)
        _draw_numbers(axes, spans[wide], [labels[k] for k in wide], outs, theme)


def _draw_key(axes: Axes, edge: int, scale: Scale, legend: str, theme: Theme) -> None:
    """Draw the measure in words, the colour bar with values, and what the diagonal's gray means, below the map."""
    small = heading_faces(edge / DOTS, theme)[1]
    room = max(edge / DOTS, NARROWEST)
    top = write(axes, [cut_to_inches(legend, room, small)], (0, edge + KEY_GAP), small) + SPACE
    across, tall = BAR
    bar = axes.inset_axes((0, 1 - (top + tall) / edge, across / edge, tall / edge))
    shown = ScalarMappable(Normalize(scale.low, scale.high), ListedColormap(scale.shades / 255))
    drawn = page_of(axes).colorbar(shown, cax=bar, orientation="horizontal", extend="both", ticks=scale.ticks())
    drawn.outline.set_visible(False)
    bar.tick_params(
        labelsize=small.size * 0.85, labelfontfamily=list(families()), color=theme.quiet, labelcolor=theme.ink
    )
    aside = Face(small.size * 0.85, theme.quiet)
    left = across + 2 * tall
    axes.add_patch(Rectangle((left, top), tall, tall, color=hexed(SELF), clip_on=False))
    write(axes, ["a feature with itself"], (left + 1.5 * tall, top + (tall - aside.line * DOTS) / 2), aside)
