"""A layer's similarity matrix for print: in clustered order, with the images of features along two of its sides."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from matplotlib import colormaps
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from atlas.report.colours import SELF_ON_WHITE, colour_range
from atlas.report.page.lettering import MARGIN, QUIET, Face, families, write, write_heading
from atlas.report.page.placed_image import PlacedImage, on_white

MATRIX = 6.0  # inches of the matrix's sides
SMALLEST, LARGEST = 0.22, 0.6  # inches of a thumbnail's place
GAP = 0.04
FILLED = 0.92  # of a thumbnail's place: the rest keeps it from the next
BAR, BAR_GAP, NUMBERS = 0.12, 0.14, 0.55  # inches: the scale, its distance, and room for its numbers


def draw_similarity(
    matrix: NDArray[np.floating],
    images: Sequence[Image.Image | None],
    *,
    title: str,
    subtitle: str,
    legend: str,
) -> Figure:
    """Draw a matrix (n, n), whose rows and columns are features in one order; images (n,) are theirs.

    Every feature has its image along two sides, or every k-th where there are too many. The diagonal is not read.
    """
    count = len(matrix)
    step = ceil(count * SMALLEST / MATRIX)
    thumb = min(LARGEST, MATRIX * step / count)
    strip = thumb + GAP
    across = MARGIN + strip + MATRIX + BAR_GAP + BAR + NUMBERS
    figure = Figure(figsize=(across, 1), facecolor="white")
    top = write_heading(figure, title, subtitle) + strip
    figure.set_size_inches(across, top + MATRIX + 0.3 + MARGIN)
    left = MARGIN + strip
    _draw_matrix(figure, matrix, (left, top))
    for row in range(step // 2, count, step):
        middle = min(max((row + 0.5) / count * MATRIX, thumb / 2), MATRIX - thumb / 2)
        for at in ((MARGIN, top + middle - thumb / 2), (left + middle - thumb / 2, top - strip)):
            _draw_thumbnail(figure, images[row], at, thumb)
    write(figure, [legend], (left, top + MATRIX + 0.1), Face(7, QUIET))
    return figure


def _draw_matrix(figure: Figure, matrix: NDArray[np.floating], at: tuple[float, float]) -> None:
    width, height = figure.get_size_inches()
    left, top = at
    box = (left / width, 1 - (top + MATRIX) / height, MATRIX / width, MATRIX / height)
    axes = figure.add_axes(box)
    values = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    norm, name = _scale(values[np.isfinite(values)])
    colours = colormaps[name].with_extremes(bad=SELF_ON_WHITE)
    image = axes.imshow(values, cmap=colours, norm=norm, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    beside = ((left + MATRIX + BAR_GAP) / width, box[1] + box[3] / 4, BAR / width, box[3] / 2)
    bar = Colorbar(figure.add_axes(beside), image)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, width=0.6, length=2.5, pad=2, labelfontfamily=list(families()))


def _scale(values: NDArray[np.floating]) -> tuple[Normalize, str]:
    """The range of (m,) values, and the name of a colour map for white ground."""
    span = colour_range(values)
    if span.two_sided:
        return TwoSlopeNorm(0.0, span.low, span.high), "RdBu_r"
    return Normalize(span.low, span.high), "magma_r"


def _draw_thumbnail(figure: Figure, image: Image.Image | None, at: tuple[float, float], thumb: float) -> None:
    side, (left, top) = thumb * FILLED, at
    if image is not None:
        PlacedImage(figure, on_white(image), Bbox.from_extents(left, top, left + side, top + side))
