"""A page for print: a body whose size is fixed, words above and below it, and the page as large as all of that.

matplotlib's constrained layout finds the room that the body's own words take. Pages become PNG, PDF or SVG.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.transforms import Affine2D, Bbox, ScaledTranslation
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from atlas.report.page.lettering import Face, cut_to_inches, width, wrapped
from atlas.report.sheets import canvas
from atlas.store.files import write_whole

DOTS = 200  # per inch of a PNG; the unit in which a stage is measured, so that pictures lie on whole pixels
BETWEEN = 0.06  # of a plot's width: between it and the next
MARGIN, GAP = 0.14, 0.1  # inches: around all that is drawn; between the body and the words above and below
NARROWEST = 3.4  # inches of a page's width, where its title needs them: a column of a journal
# letters of a PDF stay letters, in fonts that journals take; those of an SVG are outlines, the same on every machine
FILE_SETTINGS = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "atlas"}
# without a date, the same page gives the same bytes
UNDATED = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


class Theme(NamedTuple):
    """Colours of a page."""

    ground: str
    ink: str
    quiet: str
    empty: str  # the outline of what is not there


class Heading(NamedTuple):
    """The words above a page's body; either may be empty."""

    title: str = ""
    subtitle: str = ""


def hexed(colour: tuple[int, int, int]) -> str:
    """A colour as matplotlib takes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


PRINT = Theme("#ffffff", "#1a1a1a", "#6e6e6e", "#d0d0d0")
# that of the contact sheets
SCREEN = Theme(*map(hexed, (canvas.GROUND, canvas.TITLE, canvas.TEXT, canvas.EMPTY)))


def blank(theme: Theme = PRINT) -> Figure:
    """A page with nothing on it."""
    return Figure((10, 10), dpi=DOTS, facecolor=theme.ground)


def page_of(axes: Axes) -> Figure:
    """The page that axes stand on: there are no subfigures."""
    return cast(Figure, axes.figure)


def stage(theme: Theme = PRINT) -> Axes:
    """The body of a new page, measured in dots from its upper left corner; what overhangs it is given room."""
    axes = blank(theme).add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(1, 0))
    return axes


class Picture(AxesImage):
    """An RGB picture on a stage: resampled once, to just the pixels that a page has at its place; in a PDF or SVG not at all.

    Its pixels stay squares where a whole factor enlarges them; else Pillow's Lanczos is sharper than what matplotlib has.
    """

    def __init__(self, axes: Axes, image: Image.Image, box: tuple[float, float, float, float]) -> None:
        """Put it on a stage; box: left, top, width and height in dots."""
        left, top, across, tall = box
        extent = (left, left + across, top + tall, top)
        super().__init__(axes, extent=extent, origin="upper", interpolation="none")
        self.image = image
        # one pixel stands for it until a PDF or SVG wants all of them: matplotlib checks and copies what it is given
        self.set_data(np.zeros((1, 1, 3), np.uint8))
        axes.add_image(self)
        self.set_clip_on(False)

    def make_image(
        self, renderer: RendererBase, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[np.ndarray, float, float, Affine2D]:
        if unsampled:
            self.set_data(np.asarray(self.image))
            return super().make_image(renderer, magnification, unsampled)
        left, low, right, top = (round(edge) for edge in self.get_window_extent().extents)
        size = max(1, right - left), max(1, top - low)
        whole = size[0] % self.image.width == 0 and size[1] % self.image.height == 0
        resized = self.image.resize(size, Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS)
        return np.array(resized.convert("RGBA"))[::-1], left, low, Affine2D()


def write(axes: Axes, lines: Sequence[str], at: tuple[float, float], face: Face, align: str = "left") -> float:
    """Write lines below each other on a stage, from (x, y) dots on; returns where the next would begin."""
    x, top = at
    for line in lines:
        axes.text(x, top + face.size / 72 * DOTS, line, ha=align, va="baseline", **face.words)
        top += face.line * DOTS
    return top


def finish(axes: Axes, size: tuple[float, float], heading: Heading, *, note: str = "", theme: Theme = PRINT) -> Figure:
    """Give a stage its width and height in dots, and make the page as large as that, what overhangs it, and the words."""
    figure, (across, tall) = page_of(axes), size
    axes.set(xlim=(0, across), ylim=(tall, 0))
    axes.set_position(_part(figure, (0, 0, across, tall)))
    body = Bbox.union([axes.bbox, axes.get_tightbbox() or axes.bbox])
    wide = body.width / DOTS + 2 * MARGIN
    figure.set_figwidth(_whole(max(wide, _needed(heading, wide))))
    top, bottom = _words(figure, heading, note, theme)
    figure.set_figheight(_whole(top + body.height / DOTS + bottom))
    left, low = round(MARGIN * DOTS - body.x0), round(bottom * DOTS - body.y0)
    axes.set_position(_part(figure, (left, low, across, tall)))
    return figure


def finish_plots(figure: Figure, height: float, heading: Heading) -> Figure:
    """Lay out a page of a fixed width whose plots stand side by side, `height` inches tall, and freeze the layout."""
    top, bottom = _words(figure, heading, "", PRINT)
    wide = figure.get_figwidth()
    for lacking in (True, False):
        high = figure.get_figheight()
        rect = (MARGIN / wide, bottom / high, 1 - 2 * MARGIN / wide, 1 - (top + bottom) / high)
        figure.set_layout_engine("constrained", rect=rect, w_pad=0, h_pad=0, wspace=BETWEEN)
        figure.draw_without_rendering()
        if lacking:
            figure.set_figheight(_whole(high + height - figure.axes[0].bbox.height / figure.dpi))
    figure.set_layout_engine("none")
    return figure


def render(figure: Figure, dpi: float = DOTS) -> Image.Image:
    """The page as an RGB picture."""
    before = figure.dpi
    figure.set_dpi(dpi)
    try:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return snapshot(canvas)
    finally:
        figure.set_dpi(before)


def snapshot(canvas: FigureCanvasAgg) -> Image.Image:
    """The present content of a canvas as an RGB picture."""
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def save_figure(figure: Figure, path: Path, *, title: str) -> None:
    """Write the page as the PNG, PDF or SVG that its path ends in, with its title, whole or not at all.

    The same page gives the same bytes. Pictures keep all of their pixels in a PDF and an SVG.
    """
    title = title.encode("utf-8", "replace").decode()
    if path.suffix == ".png":
        picture, notes = render(figure), PngInfo()
        notes.add_text("Title", title)
        write_whole(path, lambda file: picture.save(file, "PNG", pnginfo=notes, dpi=(DOTS, DOTS)))
        return
    metadata = {"Title": title, **UNDATED[path.suffix]}
    with rc_context(FILE_SETTINGS):
        write_whole(path, lambda file: figure.savefig(file, format=path.suffix[1:], metadata=metadata))


def heading_faces(across: float, theme: Theme = PRINT) -> tuple[Face, Face]:
    """Title and subtitle for a page of a width in inches: larger on a wide one, which is shown smaller."""
    scale = min(2.0, max(1.0, across / 8) ** 0.6)
    return Face(10.5 * scale, theme.ink, bold=True), Face(8 * scale, theme.quiet)


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB, on white where it is transparent."""
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _words(figure: Figure, heading: Heading, note: str, theme: Theme) -> tuple[float, float]:
    """Write title and subtitle above, a note below; returns the inches that these take from either edge."""
    large, small = heading_faces(figure.get_figwidth(), theme)
    aside, room = Face(small.size * 0.85, theme.quiet), figure.get_figwidth() - 2 * MARGIN
    top = bottom = MARGIN
    for text, face, most in ((heading.title, large, 3), (heading.subtitle, small, 4)):
        for line in wrapped(text, room, face, most):
            _set_line(figure, line, face, (1, -top - face.size / 72))
            top += face.line
    for line in reversed(wrapped(note, room, aside, 4)):
        _set_line(figure, line, aside, (0, bottom + aside.line - aside.size / 72))
        bottom += aside.line
    return top + GAP * (top > MARGIN), bottom + GAP * (bottom > MARGIN)


def _set_line(figure: Figure, line: str, face: Face, at: tuple[float, float]) -> None:
    """Set a line at the left margin: from the lower or the upper edge (0 or 1), so many inches up to its baseline."""
    edge, up = at
    place = figure.transFigure + ScaledTranslation(MARGIN, up, figure.dpi_scale_trans)
    figure.text(0, edge, line, va="baseline", transform=place, **face.words)


def _needed(heading: Heading, across: float) -> float:
    """Inches of width that keep a heading in one line, up to those of a column of print."""
    faces = heading_faces(across)
    lines = ((cut_to_inches(text, NARROWEST, face), face) for text, face in zip(heading, faces, strict=True))
    return min(NARROWEST, max(width(line, face) for line, face in lines) + 2 * MARGIN)


def _part(figure: Figure, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box of dots as parts of a page."""
    across, tall = figure.get_size_inches() * DOTS
    left, low, width, height = box
    return left / across, low / tall, width / across, height / tall


def _whole(inches: float) -> float:
    """Inches, upwards to whole dots."""
    return ceil(round(inches * DOTS, 6)) / DOTS
