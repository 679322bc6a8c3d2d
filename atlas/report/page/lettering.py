"""The text of a figure for print: only what the fonts can show, cut or broken to its room, set line by line in
inches.

A point is (inches from the left, inches from the top), so that a figure may grow downwards while it is drawn.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, BboxTransformTo, ScaledTranslation, Transform

INK, QUIET = "#1a1a1a", "#6e6e6e"
MARGIN = 0.14  # inches around all that is drawn
LEADING = 1.28  # from baseline to baseline, in font sizes
HINTED = 1.04  # a line on a pixel grid may be so much wider than its outlines
EAST_ASIAN = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "Hiragino Sans", "Yu Gothic", "SimHei")
LACKING = "□"  # instead of a character that no font has
JOINTS = (r"[^\s./:]*[\s./:]+", r"[^_-]*[_-]+")  # where a line is broken: between words and modules, else within a name


@dataclass(frozen=True)
class Face:
    """How text looks."""

    size: float  # points
    colour: str = INK
    bold: bool = False

    @property
    def line(self) -> float:
        """Height of a line in inches."""
        return self.size * LEADING / 72

    @property
    def font(self) -> FontProperties:
        """The same for matplotlib."""
        return FontProperties(family=list(families()), size=self.size, weight="bold" if self.bold else "normal")


def plain(text: str) -> str:
    """The text with every character that cannot be shown replaced; line breaks stay."""
    characters = _characters()
    return "".join(c if c == "\n" or ord(c) in characters else " " if c.isspace() else LACKING for c in text)


def width(text: str, face: Face) -> float:
    """Width of a line in inches."""
    return _points(text, face) / 72 * HINTED


def cut_to_inches(text: str, room: float, face: Face) -> str:
    """One line cut to a width in inches: a sentence keeps its beginning, a name without spaces both of its ends."""
    text = " ".join(plain(text).split())
    if width(text, face) <= room:
        return text
    low, high = 0, len(text)  # the most characters that fit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(_cut(text, middle), face) <= room else (low, middle - 1)
    return _cut(text, low)


def wrapped(text: str, room: float, face: Face, most: int) -> list[str]:
    """The text in at most so many lines: broken as it already is, or else at its joints where it is too wide."""
    lines = [line for line in plain(text).split("\n") if line.strip()]
    between = " " if len(lines) > 1 else ""
    if len(lines) == 1:
        lines = _broken(" ".join(lines[0].split()), room, face)
    if len(lines) > most:
        lines = [*lines[: most - 1], between.join(lines[most - 1 :])]
    return [cut_to_inches(line, room, face) for line in lines]


def write(figure: Figure, lines: Sequence[str], at: tuple[float, float], face: Face, align: str = "left") -> float:
    """Set lines below each other from a point on; returns where the next would begin, in inches from the top."""
    x, top = at
    for line in lines:
        text = Text(x, top + face.size / 72, line, color=face.colour, fontproperties=face.font, parse_math=False)
        text.set(ha=align, va="baseline", transform=from_top(figure), usetex=False)
        figure.add_artist(text)
        top += face.line
    return top


def write_heading(figure: Figure, title: str, subtitle: str) -> float:
    """Set a bold title, and quieter lines below it; returns where the figure's body may begin, in inches from the top."""
    (across, _), top = figure.get_size_inches(), MARGIN
    large, small = heading_faces(across)
    room = across - 2 * MARGIN
    top = write(figure, wrapped(title, room, large, 3), (MARGIN, top), large)
    top = write(figure, wrapped(subtitle, room, small, 4), (MARGIN, top + 0.01), small)
    return top + 0.1 if top > 2 * MARGIN else top


def heading_faces(across: float) -> tuple[Face, Face]:
    """Title and subtitle for a figure of a width in inches: larger on a wide one, which is shown smaller."""
    scale = min(2.0, max(1.0, across / 8) ** 0.6)
    return Face(10.5 * scale, bold=True), Face(8 * scale, QUIET)


def from_top(figure: Figure) -> Transform:
    """From inches right of and below the figure's upper left corner, however tall it becomes, to pixels."""
    return Affine2D().scale(1, -1) + figure.dpi_scale_trans + ScaledTranslation(0, 1, BboxTransformTo(figure.bbox))


@cache
def families() -> tuple[str, ...]:
    """The fonts in which a character is looked up, in this order: the one matplotlib brings, then what the machine has."""
    present = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in EAST_ASIAN if name in present))


@cache
def _characters() -> frozenset[int]:
    """Code points that can be shown both bold and not."""
    codes = [
        {
            code
            for name in families()
            for code in get_font(findfont(FontProperties(family=[name], weight=weight))).get_charmap()
        }
        for weight in ("normal", "bold")
    ]
    return frozenset(code for code in codes[0] & codes[1] if chr(code).isprintable())


@lru_cache(maxsize=16384)
def _points(text: str, face: Face) -> float:
    return text_to_path.get_text_width_height_descent(text, face.font, ismath=False)[0]


def _cut(text: str, kept: int) -> str:
    if " " in text:
        return text[:kept].rstrip() + "…"
    head = kept // 2
    return text[:head] + "…" + text[len(text) - (kept - head) :]


def _broken(text: str, room: float, face: Face) -> list[str]:
    """Lines filled up to the room, as far as the joints allow."""
    lines = [""]
    for piece in _pieces(text, room, face):
        if lines[-1] and width((lines[-1] + piece).rstrip(), face) > room:
            lines.append("")
        lines[-1] += piece
    return lines


def _pieces(text: str, room: float, face: Face) -> list[str]:
    coarse, fine = (re.compile(rf"{joint}|.+") for joint in JOINTS)
    pieces = coarse.findall(text)
    return [part for piece in pieces for part in (fine.findall(piece) if width(piece, face) > room else [piece])]
