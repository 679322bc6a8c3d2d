"""A picture with a heading on dark neutral ground, and the thumbnails that go onto it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from atlas.report.fonts import REGULAR
from atlas.store.files import readable

GROUND, TITLE, TEXT, QUIET, RULE = (20, 21, 23), (236, 236, 238), (168, 170, 175), (112, 115, 122), (44, 46, 51)
EMPTY = (58, 61, 67)  # the outline of what is not there
MARGIN = 40  # pixels around the picture
NARROWEST = 560  # pixels of the whole picture


def canvas(body: tuple[int, int], title: str, subtitle: str) -> tuple[Image.Image, tuple[int, int]]:
    """A picture with a title, a line below it, and room for a body of (width, height); and (x, y) where the body begins."""
    width = max(body[0] + 2 * MARGIN, NARROWEST)
    large = title_size(width)
    small, head = round(large * 0.6), MARGIN + round(large * 2.9)
    sheet = Image.new("RGB", (width, head + body[1] + MARGIN), GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text(
        (MARGIN, MARGIN + large), cut_to_pixels(title, large, width - 2 * MARGIN), TITLE, font_of(large), anchor="ls"
    )
    draw.text(
        (MARGIN, MARGIN + 2 * large),
        cut_to_pixels(subtitle, small, width - 2 * MARGIN),
        TEXT,
        font_of(small),
        anchor="ls",
    )
    return sheet, (MARGIN, head)


def title_size(width: int) -> int:
    """Size of a title's letters on a picture of a width, both in pixels."""
    return min(48, max(24, width // 64))


def thumbnails(images: Sequence[Path | None], size: int | None = None) -> list[Image.Image | None]:
    """Squares of `size` pixels, or images as they are; None for each that is not there, or cannot be read."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda image: _thumbnail(image, size), images))


def _thumbnail(path: Path | None, size: int | None) -> Image.Image | None:
    if path is None:
        return None
    try:
        with Image.open(readable(path)) as image:
            whole = image.convert("RGB")
            return whole if size is None else whole.resize((size, size), Image.Resampling.LANCZOS)
    except (OSError, SyntaxError):
        return None


def cut_to_pixels(text: str, size: int, width: int) -> str:
    """A text in letters of `size` cut to a width in pixels, with an ellipsis where it was cut."""
    if font_of(size).getlength(text) <= width:
        return text
    while text and font_of(size).getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


@cache
def font_of(size: int) -> ImageFont.FreeTypeFont:
    """Our font in letters of `size` pixels."""
    return ImageFont.truetype(REGULAR, size)
