"""Thumbnails of a layer's images, many on one sheet: a browser that shows a layer opens few files."""

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.sheets.canvas import GROUND
from atlas.report.site.site_layer import LARGE, SIDE, SiteLayer, picture
from atlas.report.site.site_ledger import NEVER, SiteLedger, digest_of

DRAWING = "1"  # raised when the drawing changes: older sheets are then made anew
SAMPLES = 16
QUALITY, METHOD = 80, 2  # of WebP
REDUCING = 2.0  # a large image is first averaged down to this much more than the thumbnail
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Sheet:
    """Thumbnails of `cell` pixels in rows of `columns`; None: a blank one."""

    file: Path
    digest: str
    images: Sequence[Path | None]
    cell: int
    columns: int
    lines: int


@dataclass(frozen=True)
class SpriteSheet:
    data: bytes
    unreadable: list[Path]


class Drawing:
    """Sheets of a layer that are drawn by a pool of threads meanwhile; `finish` writes them."""

    def __init__(self, ledger: SiteLedger, pool: ThreadPoolExecutor, sheets: Iterator[Sheet]) -> None:
        self._ledger = ledger
        wanted = (sheet for sheet in sheets if ledger.wants(sheet.file, sheet.digest))
        self._begun: list[tuple[Sheet, Future[SpriteSheet]]] = [(sheet, pool.submit(draw, sheet)) for sheet in wanted]

    def finish(self) -> list[Path]:
        """Write all; the images that could not be read, whose sheets are made anew by the next run."""
        unreadable: list[Path] = []
        for sheet, begun in self._begun:
            drawn = begun.result()
            self._ledger.put(sheet.file, NEVER if drawn.unreadable else sheet.digest, drawn.data)
            unreadable += drawn.unreadable
        return unreadable


def sheets_of(atlas: Atlas, layer: SiteLayer) -> Iterator[Sheet]:
    """The sheets of every set, 256 positions each, and the row of samples."""
    for number, one in enumerate(layer.sets):
        if not one.folder:
            continue
        for sheet, start in enumerate(range(0, len(layer.channels), SIDE * SIDE)):
            rows = layer.chosen[number, start : start + SIDE * SIDE]
            file = atlas.paths.site_sprites(layer.path, f"{one.key}-{sheet}")
            yield _sheet(atlas, layer, rows, file=file, cell=layer.cell)
    if len(chosen := samples(layer)):
        file = atlas.paths.site_sprites(layer.path, "samples")
        yield _sheet(atlas, layer, layer.stands[chosen], file=file, cell=LARGE, shape=(len(chosen), 1))


def samples(layer: SiteLayer) -> np.ndarray:
    """Positions of channels that stand for the layer, from all along it: of those with an image that is no dead one."""
    good = np.flatnonzero((layer.stands >= 0) & (layer.best == 0))
    return good[np.unique(np.linspace(0, len(good) - 1, min(SAMPLES, len(good))).astype(int))]


def _sheet(
    atlas: Atlas, layer: SiteLayer, rows: np.ndarray, *, file: Path, cell: int, shape: tuple[int, int] = (SIDE, SIDE)
) -> Sheet:
    images = [picture(atlas, image) for image in layer.images(rows)]
    hashes = layer.rows["image_sha256"].take(np.maximum(rows, 0)).to_pylist()
    shown = [(sha, *_stamp(image)) if image else None for image, sha in zip(images, hashes, strict=True)]
    columns, lines = shape
    return Sheet(file, digest_of("sprites", DRAWING, cell, shape, shown), images, cell, columns, lines)


def _stamp(image: Path) -> tuple[int, int]:
    """Of the file itself: an image that was replaced while its row stayed is drawn anew."""
    try:
        found = os.stat(image)
    except (OSError, ValueError):  # it is not there, or no file has such a name
        return -1, -1
    return found.st_size, found.st_mtime_ns


def draw(sheet: Sheet) -> SpriteSheet:
    whole = Image.new("RGB", (sheet.columns * sheet.cell, sheet.lines * sheet.cell), GROUND)
    unreadable = []
    for place, path in enumerate(sheet.images):
        if path is None:
            continue
        line, column = divmod(place, sheet.columns)
        try:
            whole.paste(thumbnail(path, sheet.cell), (column * sheet.cell, line * sheet.cell))
        except UNREADABLE:
            unreadable.append(path)
    data = io.BytesIO()
    whole.save(data, "WEBP", quality=QUALITY, method=METHOD)
    return SpriteSheet(data.getvalue(), unreadable)


def thumbnail(path: Path, size: int) -> Image.Image:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    if rgb.size == (size, size):
        return rgb
    return rgb.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=REDUCING)
