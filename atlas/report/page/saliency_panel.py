"""What a network looks at, at one glance: a picture, its maps and their class in; one figure out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from atlas.report.page.heat import heat, over
from atlas.report.page.panels import Panel, Row, draw_panels
from atlas.report.page.paper import Heading

WIDTH = 2.0  # inches of a picture
# method: what a reader calls it, and what is bright in its map
METHODS = {
    "gradient": ("gradient", "where a small change of the pixel changes the class score most"),
    "smoothgrad": ("SmoothGrad", "where the gradient is large in the mean over noisy copies of the picture"),
    "integrated_gradients": (
        "integrated gradients",
        "what the pixel adds to the score on the way from black to the picture",
    ),
    "grad_cam": ("Grad-CAM", "where a late layer saw what speaks for the class"),
}


@dataclass(frozen=True)
class MethodMap:
    """One map of the picture."""

    method: str
    gray: UInt8[np.ndarray, "h w"]


def draw_saliency(picture: UInt8[np.ndarray, "h w 3"], maps: Sequence[MethodMap], *, heading: Heading) -> Figure:
    """Draw the picture, each map, and each map over the picture: of one method in a row, of several in columns.

    Maps are shown from dark for nothing to light yellow for most; over the picture they are blurred a little.
    """
    pixels = Panel(Image.fromarray(picture))
    drawn = [(Panel(heat(each.gray)), Panel(over(picture, each.gray))) for each in maps]
    names = [METHODS[each.method][0] for each in maps]
    note = "Bright: " + "; ".join(f"{name}, {METHODS[each.method][1]}" for name, each in zip(names, maps, strict=True))
    if len(maps) == 1:
        rows, columns = [Row("", [pixels, *drawn[0]])], ["picture", names[0], "overlay"]
    else:
        rows = [Row("", [pixels, *(alone for alone, _ in drawn)]), Row("", [Panel(None), *(both for _, both in drawn)])]
        columns = ["picture", *names]
    return draw_panels(rows, heading=heading, columns=columns, note=f"{note}.", panel=WIDTH)
