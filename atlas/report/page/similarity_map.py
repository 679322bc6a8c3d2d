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

from atlas.report.page.lettering import MARGIN, QUIET, Face, families, write, write_heading
from atlas.report.page.placed import PlacedImage, on_white

SIDE = 6.0  # inches of the matrix
LEAST, MOST = 0.22, 0.6  # inches of a thumbnail's place
GAP = 0.04
FILLED = 0.92  # of a thumbnail's place: the rest keeps it from the next
TAIL = 0.005  # of the values at either end: shown like the last within
BAR, BAR_GAP, NUMBERS = 0.12, 0.14, 0.55  # inches: the scale, its distance, and room for its numbers
SELF = "#e4e4e4"  # a feature with itself, which says nothing
OPPOSED = 0.4  # as large, against the positive end, a negative end is a side of its own


def draw_similarity(
    matrix: NDArray[np.floating],
    images: Sequence[Image.Image | None],
    *,
    title: str,
    subtitle: str = "",
    legend: str = "",
) -> Figure:
    """Draw a matrix (n, n), whose rows and columns are features in order. Where they are too many, every k-th has its image."""
    count = len(matrix)
    step = ceil(count * LEAST / SIDE)
    thumb = min(MOST, SIDE * step / count)
    strip = thumb + GAP
    across = MARGIN + strip + SIDE + BAR_GAP + BAR + NUMBERS
    figure = Figure(figsize=(across, 1), facecolor="white")
    top = write_heading(figure, title, subtitle) + strip
    figure.set_size_inches(across, top + SIDE + (0.3 if legend else 0.0) + MARGIN)
    left = MARGIN + strip
    _draw_matrix(figure, matrix, (left, top))
    for place in range(step // 2, count, step):
        middle = min(max((place + 0.5) / count * SIDE, thumb / 2), SIDE - thumb / 2)
        for at in ((MARGIN, top + middle - thumb / 2), (left + middle - thumb / 2, top - strip)):
            _draw_thumbnail(figure, images[place], at, thumb)
    if legend:
        write(figure, [legend], (left, top + SIDE + 0.1), Face(7, QUIET))
    return figure


def _draw_matrix(figure: Figure, matrix: NDArray[np.floating], at: tuple[float, float]) -> None:
    width, height = figure.get_size_inches()
    left, top = at
    box = (left / width, 1 - (top + SIDE) / height, SIDE / width, SIDE / height)
    axes = figure.add_axes(box)
    shown = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    norm, colours = _scale(shown[np.isfinite(shown)])
    image = axes.imshow(
        shown, cmap=colormaps[colours].with_extremes(bad=SELF), norm=norm, interpolation="nearest", aspect="auto"
    )
    axes.set_axis_off()
    beside = ((left + SIDE + BAR_GAP) / width, box[1] + box[3] / 4, BAR / width, box[3] / 2)
    bar = Colorbar(figure.add_axes(beside), image)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, width=0.6, length=2.5, pad=2, labelfontfamily=list(families()))


def _scale(values: NDArray[np.floating]) -> tuple[Normalize, str]:
    """Robust against a few far values; of two colours around zero where the negative ones matter."""
    if not len(values):
        return Normalize(0, 1), "magma_r"
    low, high = float(np.quantile(values, TAIL)), float(np.quantile(values, 1 - TAIL))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    if high > 0 and -low > OPPOSED * high:
        most = max(-low, high)
        return TwoSlopeNorm(0.0, -most, most), "RdBu_r"
    return Normalize(low, high), "magma_r"


def _draw_thumbnail(figure: Figure, image: Image.Image | None, at: tuple[float, float], thumb: float) -> None:
    side, (left, top) = thumb * FILLED, at
    if image is not None:
        PlacedImage(figure, on_white(image), Bbox.from_extents(left, top, left + side, top + side))
