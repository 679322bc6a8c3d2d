"""A similarity map or a layout as a picture of its own: what is drawn and the words above it in, a picture out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.report.page.layer_map import LayerMap
from atlas.report.page.matrix import draw_matrix
from atlas.report.page.paper import Heading, render
from atlas.report.page.plane import draw_layout

MAP_SIDE = 2048  # pixels of a map, at most, without the breaks between families


def map_picture(layer_map: LayerMap, words: tuple[str, str], legend: str) -> Image.Image:
    """A layer's map; words: title and subtitle."""
    return render(draw_matrix(layer_map, heading=Heading(*words), legend=legend, side=MAP_SIDE))


def layout_picture(
    points: np.ndarray, images: Sequence[Path | None], words: tuple[str, str], layers: Sequence[str]
) -> Image.Image:
    """A model's layout of (n, 2) points; words: title and subtitle."""
    return render(draw_layout(points, images, heading=Heading(*words), layers=layers))
