"""Bands of images, numbers and brackets along the top and left edges of a similarity map, from the map outwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atlas.report.sheets.canvas import EMPTY, QUIET, TEXT, font_of, thumbnails

Spans = NDArray[np.integer]  # (n, 2) first pixel along the edge, and the first one after
Box = tuple[int, int, int, int]
THUMBED = 20  # pixels of a cell from which it has an image
NUMBERED = 11  # pixels of a cell from which it has a number
FAMILY_THUMBED = 40  # pixels of a family from which it has an image
LARGEST_FAMILY = 72  # pixels of a family's image
SPACE = 5  # pixels between bands
HOOK = 6  # pixels of a bracket's ends


@dataclass(frozen=True)
class Band:
    """A text or a picture at each span (None: an empty frame), or a bracket, if there are neither texts nor pictures."""

    depth: int  # pixels, from the map outwards
    spans: Spans
    texts: Sequence[str] = ()
    pictures: Sequence[Image.Image | None] = ()


def feature_bands(spans: Spans, images: Sequence[Path | None], labels: Sequence[str]) -> list[Band]:
    """Bands of the features' images and numbers, as far as a cell has room for them."""
    cell = int(spans[0, 1] - spans[0, 0])
    bands = []
    if cell >= THUMBED:
        bands.append(Band(cell - 2, spans, pictures=thumbnails(images, cell - 2)))
    if cell >= NUMBERED:
        bands.append(_numbers(spans, labels))
    return bands


def family_bands(spans: Spans, images: Sequence[Path | None], labels: Sequence[str]) -> list[Band]:
    """A bracket for each family, and the image and number of its representative where there is room."""
    bands, wide = [Band(HOOK, spans)], np.flatnonzero(spans[:, 1] - spans[:, 0] >= FAMILY_THUMBED)
    if len(wide):
        size = min(LARGEST_FAMILY, int((spans[wide, 1] - spans[wide, 0]).min()))
        bands.append(Band(size, spans[wide], pictures=thumbnails([images[k] for k in wide.tolist()], size)))
        bands.append(_numbers(spans[wide], [labels[k] for k in wide.tolist()]))
    return bands


def depth(bands: Sequence[Band]) -> int:
    """Pixels that bands take beside the map."""
    return sum(band.depth + SPACE for band in bands)


def draw_bands(sheet: Image.Image, corner: tuple[int, int], bands: Sequence[Band]) -> None:
    """Draw bands along both edges that meet at the corner (x, y)."""
    out = 0
    for band in bands:
        out += SPACE
        for top in (True, False):
            boxes = [_box(corner, (int(a), int(b)), (out, out + band.depth), top) for a, b in band.spans]
            _draw_band(sheet, band, boxes, top)
        out += band.depth


def _numbers(spans: Spans, labels: Sequence[str]) -> Band:
    size = _number_size(spans)
    return Band(max(size, ceil(max(font_of(size).getlength(label) for label in labels))), spans, texts=labels)


def _number_size(spans: Spans) -> int:
    return int(np.clip((spans[:, 1] - spans[:, 0]).min() // 2, 10, 13))


def _box(corner: tuple[int, int], span: tuple[int, int], out: tuple[int, int], top: bool) -> Box:
    """The pixels of a span of the top or the left edge: x and y of the first, and of the one after the last."""
    x, y = corner
    if top:
        return x + span[0], y - out[1], x + span[1], y - out[0]
    return x - out[1], y + span[0], x - out[0], y + span[1]


def _draw_band(sheet: Image.Image, band: Band, boxes: Sequence[Box], top: bool) -> None:
    draw = ImageDraw.Draw(sheet)
    if band.texts:
        _draw_numbers(sheet, band, boxes, top)
    elif band.pictures:
        for box, picture in zip(boxes, band.pictures, strict=True):
            _draw_picture(sheet, box, picture, band.depth)
    else:
        for x, y, right, bottom in boxes:
            if top:
                draw.line([(x, bottom - 1), (x, y), (right - 1, y), (right - 1, bottom - 1)], QUIET)
            else:
                draw.line([(right - 1, y), (x, y), (x, bottom - 1), (right - 1, bottom - 1)], QUIET)


def _draw_picture(sheet: Image.Image, box: Box, picture: Image.Image | None, size: int) -> None:
    x, y = (box[0] + box[2] - size) // 2, (box[1] + box[3] - size) // 2
    if picture is None:
        ImageDraw.Draw(sheet).rectangle((x, y, x + size - 1, y + size - 1), outline=EMPTY)
    else:
        sheet.paste(picture, (x, y))


def _draw_numbers(sheet: Image.Image, band: Band, boxes: Sequence[Box], top: bool) -> None:
    """Nearest to the map; upright along the top where they fit, else all turned to read upwards."""
    draw, font = ImageDraw.Draw(sheet), font_of(_number_size(band.spans))
    turned = top and band.depth > (band.spans[:, 1] - band.spans[:, 0]).min() - 2
    for (x, y, right, bottom), text in zip(boxes, band.texts, strict=True):
        if turned:
            word = Image.new("L", (band.depth, right - x))
            ImageDraw.Draw(word).text((0, word.height / 2), text, 255, font, anchor="lm")
            sheet.paste(TEXT, (x, y), word.transpose(Image.Transpose.ROTATE_90))
        elif top:
            draw.text(((x + right) / 2, bottom), text, TEXT, font, anchor="mb")
        else:
            draw.text((right, (y + bottom) / 2), text, TEXT, font, anchor="rm")
