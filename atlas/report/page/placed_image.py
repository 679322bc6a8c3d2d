"""A picture in a figure for print, resampled once, to just the pixels that the figure has at its place."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from atlas.report.page.lettering import from_top

DEAD, FADED = 0.16, (228, 228, 228)  # the share that is left of a dead feature's picture, and the gray it fades into


class PlacedImage(Artist):
    """An RGB picture in a box of inches from the figure's upper left corner.

    Its pixels stay squares where a whole factor enlarges them; matplotlib's own images know no filter as sharp.
    """

    def __init__(self, figure: Figure, image: Image.Image, box: Bbox) -> None:
        super().__init__()
        self.image, self.box = image, box
        self.set_transform(from_top(figure))
        figure.add_artist(self)

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        return Bbox(TransformedBbox(self.box, self.get_transform()).get_points())

    def draw(self, renderer: RendererBase) -> None:
        left, bottom, right, top = (round(edge) for edge in self.get_window_extent().extents)
        size = max(1, right - left), max(1, top - bottom)
        gc = renderer.new_gc()
        renderer.draw_image(gc, left, bottom, np.array(_resized(self.image, size).convert("RGBA"))[::-1])
        gc.restore()


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB, on white where it is transparent."""
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def faded(image: Image.Image) -> Image.Image:
    """The picture of a dead feature: grayscale, and nearly gone."""
    return Image.blend(Image.new("RGB", image.size, FADED), on_white(image).convert("L").convert("RGB"), DEAD)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    whole = size[0] % image.width == 0 and size[1] % image.height == 0
    return image.resize(size, Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS)
