"""Thumbnails of a layer's images, many on one WebP sheet, so that a browser that shows a layer opens few files."""

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.marks import digest_of
from atlas.report.sheets.canvas import GROUND
from atlas.report.site.site_layer import LARGE, SHEET_SIDE, SiteLayer
from atlas.report.site.site_ledger import NEVER, SiteLedger
from atlas.store.bucket_path import is_remote
from atlas.store.files import readable

DRAWING = "1"  # raised when the drawing changes: older sheets are then made anew
SAMPLES = 16  # thumbnails that stand for a layer on the first page
QUALITY, METHOD = 80, 2  # of WebP
REDUCING = 2.0  # a large image is first averaged down to this many times the thumbnail
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Sheet:
    """A sheet to be drawn: thumbnails of `cell` pixels in rows of `columns`; None is a blank one."""

    file: Path
    digest: str
    root: Path  # of the images
    images: Sequence[str | None]
    cell: int
    columns: int
    lines: int


@dataclass(frozen=True)
class SpriteSheet:
    """A drawn sheet, and the images that could not be read, which are blank on it."""

    data: bytes  # WebP
    unreadable: list[Path]


class Drawing:
    """Sheets of a layer that a pool of threads draws while other work goes on; `finish` writes them."""

    def __init__(self, ledger: SiteLedger, pool: ThreadPoolExecutor, sheets: Iterator[Sheet]) -> None:
        self._ledger = ledger
        wanted = (sheet for sheet in sheets if ledger.wants(sheet.file, sheet.digest))
        self._futures: list[tuple[Sheet, Future[SpriteSheet]]] = [(sheet, pool.submit(draw, sheet)) for sheet in wanted]

    def finish(self) -> list[Path]:
        """Write all sheets; returns the images that could not be read, whose sheets the next run makes anew."""
        unreadable: list[Path] = []
        for sheet, future in self._futures:
            sprites = future.result()
            self._ledger.put(sheet.file, NEVER if sprites.unreadable else sheet.digest, sprites.data)
            unreadable += sprites.unreadable
        return unreadable


def sheets_of(atlas: Atlas, layer: SiteLayer) -> Iterator[Sheet]:
    """The sheets of every set, 256 positions on each, and one with the row of samples."""
    for number, images in enumerate(layer.sets):
        if not images.folder:
            continue
        for sheet, start in enumerate(range(0, len(layer.channels), SHEET_SIDE**2)):
            rows = layer.chosen[number, start : start + SHEET_SIDE**2]
            file = atlas.paths.site_sprites(layer.path, f"{images.key}-{sheet}")
            yield _sheet(atlas, layer, rows, file=file, cell=layer.cell)
    if len(positions := samples(layer)):
        file = atlas.paths.site_sprites(layer.path, "samples")
        yield _sheet(atlas, layer, layer.stands[positions], file=file, cell=LARGE, shape=(len(positions), 1))


def samples(layer: SiteLayer) -> np.ndarray:
    """Positions of channels that stand for the layer, at even distances along it, among those whose image is not dead."""
    good = np.flatnonzero((layer.stands >= 0) & (layer.best == 0))
    return good[np.unique(np.linspace(0, len(good) - 1, min(SAMPLES, len(good))).astype(int))]


def _sheet(
    atlas: Atlas,
    layer: SiteLayer,
    rows: np.ndarray,
    *,
    file: Path,
    cell: int,
    shape: tuple[int, int] = (SHEET_SIDE, SHEET_SIDE),
) -> Sheet:
    images = layer.images(rows)
    hashes = layer.rows["image_sha256"].take(np.maximum(rows, 0)).to_pylist()
    stamps = [(sha, *_stamp(atlas.path, image)) if image else None for image, sha in zip(images, hashes, strict=True)]
    columns, lines = shape
    return Sheet(file, digest_of("sprites", DRAWING, cell, shape, stamps), atlas.path, images, cell, columns, lines)


def _stamp(root: Path, image: str) -> tuple[int, int]:
    """Size and time of the file itself, so that an image that was replaced while its row stayed is drawn anew."""
    if is_remote(root):
        return 0, 0  # a request an image; its hash stands in its row
    try:
        stat = os.stat(f"{root}/{image}")
    except (OSError, ValueError):  # it is not there, or no file can have such a name
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def draw(sheet: Sheet) -> SpriteSheet:
    """Draw all thumbnails of a sheet."""
    whole = Image.new("RGB", (sheet.columns * sheet.cell, sheet.lines * sheet.cell), GROUND)
    unreadable = []
    for place, image in enumerate(sheet.images):
        if image is None:
            continue
        path = sheet.root / image
        line, column = divmod(place, sheet.columns)
        try:
            whole.paste(thumbnail(path, sheet.cell), (column * sheet.cell, line * sheet.cell))
        except UNREADABLE:
            unreadable.append(path)
    data = io.BytesIO()
    whole.save(data, "WEBP", quality=QUALITY, method=METHOD)
    return SpriteSheet(data.getvalue(), unreadable)


def thumbnail(path: Path, size: int) -> Image.Image:
    """An image as an RGB square of `size` pixels; one of UNREADABLE is raised where it cannot be read."""
    with Image.open(readable(path)) as image:
        rgb = image.convert("RGB")
    if rgb.size == (size, size):
        return rgb
    return rgb.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=REDUCING)
