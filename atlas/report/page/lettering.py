"""The text of a page for print: only what the fonts can show, cut or broken to its room."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.textpath import text_to_path

from atlas.report.fonts import FONTS

INK, QUIET = "#1a1a1a", "#6e6e6e"
LEADING = 1.28  # from baseline to baseline, in font sizes
HINTED = 1.04  # a line on a pixel grid may be so much wider than its outlines
OURS = "Inter Latin"  # a name of its own, so that an Inter which the machine has is not taken for it
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

    @property
    def words(self) -> dict[str, Any]:
        """The same as options of matplotlib's texts; none is read as mathematics."""
        return {"fontproperties": self.font, "color": self.colour, "parse_math": False, "usetex": False}


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


@cache
def families() -> tuple[str, ...]:
    """The fonts in which a character is looked up, in this order: ours, matplotlib's, then what the machine has."""
    for file in FONTS:
        fontManager.addfont(file)
    present = {font.name for font in fontManager.ttflist}
    return (OURS, "DejaVu Sans", *(name for name in EAST_ASIAN if name in present))


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
