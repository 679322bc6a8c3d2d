"""A layer's similarity matrix in clustered order, as data: one byte for each pair.

It is symmetric, so what lies above its diagonal is all of it. A wide one is a reduced picture of the whole, and tiles,
of which a page loads those that one looks at closely.
"""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atlas.query.atlas import Atlas
from atlas.report.colours import colour_range
from atlas.report.site.encoding import EDGES, Json, in_bytes, rounded
from atlas.report.site.site_layer import SiteLayer
from atlas.store.files import readable

WIDE = 2048  # channels; above, the whole would be more than 3 MB
REDUCED = 1024  # along a side of the reduced picture, at most
TILE = 512  # pairs along a side of a tile


class Matrix(NamedTuple):
    """A matrix as bytes: value = low + byte / 255 · (high − low)."""

    low: float
    high: float
    levels: NDArray[np.uint8]  # (n, n)
    shown: list[float]  # the values between which colours change, as on the drawn map
    facts: Json  # channels, families and their names

    @property
    def every(self) -> int:
        """Features along either side that one number of the reduced picture stands for; 1: it is not reduced."""
        return 1 if len(self.levels) <= WIDE else -(-len(self.levels) // REDUCED)

    def whole(self) -> Json:
        """What lies above the diagonal, row by row; of a reduced picture with its diagonal, which are pairs, too."""
        levels = self.levels if self.every == 1 else _reduced(self.levels, self.every)
        above = levels[np.triu_indices(len(levels), 1 if self.every == 1 else 0)]
        ends = {"low": self.low, "high": self.high, "shown": self.shown, "every": self.every, "tile": TILE}
        return {**self.facts, **ends, "data": _base64(above)}

    def tiles(self) -> Iterator[tuple[str, Json]]:
        """The name and the content of each tile on and above the diagonal; none of a matrix that is not reduced."""
        count = 0 if self.every == 1 else -(-len(self.levels) // TILE)
        for row in range(count):
            for column in range(row, count):
                part = self.levels[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                yield f"{row}-{column}", {"wide": part.shape[1], "data": _base64(np.ascontiguousarray(part))}


def tile_names(count: int) -> list[str]:
    """The names of the tiles of a matrix of so many channels."""
    tiles = 0 if count <= WIDE else -(-count // TILE)
    return [f"{row}-{column}" for row in range(tiles) for column in range(row, tiles)]


def matrix_files(atlas: Atlas, layer: SiteLayer, measure: str) -> tuple[Path, Path] | None:
    """The files of a layer's matrix and of its channels; None unless both are there."""
    stem = atlas.paths.map(layer.model, layer.name, measure)
    files = stem.with_name(f"{stem.name}.npy"), stem.with_name(f"{stem.name}.order.npy")
    return files if all(file.is_file() for file in files) else None


def read_matrix(files: tuple[Path, Path], clusters: Json) -> Matrix | None:
    """A matrix; None when it is not the matrix of the clusters given: similarity was stopped while it wrote."""
    try:
        values, order = np.load(readable(files[0])), np.load(readable(files[1]))
    except (OSError, ValueError):
        return None
    if values.shape != (len(order), len(order)) or order.tolist() != clusters["order"]:
        return None
    values = values.astype(np.float32)
    np.fill_diagonal(values, np.nan)
    encoded = in_bytes(values)
    span = colour_range(values[np.isfinite(values)])
    shown = rounded(np.array([span.low, span.high]), EDGES).tolist()
    facts = {"channels": order.tolist(), "family": clusters["family"], "names": clusters["names"]}
    return None if encoded is None else Matrix(*encoded, shown, facts)


def _reduced(levels: NDArray[np.uint8], every: int) -> NDArray[np.uint8]:
    """Means of blocks of every × every pairs; the last ones are smaller."""
    starts = np.arange(0, len(levels), every)
    sums = np.add.reduceat(np.add.reduceat(levels, starts, axis=0, dtype=np.uint32), starts, axis=1)
    counts = np.diff([*starts, len(levels)])
    pairs = np.outer(counts, counts)
    np.fill_diagonal(
        pairs, np.maximum(counts * (counts - 1), 1)
    )  # a feature with itself is no pair, and its level is 0
    return np.rint(sums / pairs).astype(np.uint8)


def _base64(levels: NDArray[np.uint8]) -> str:
    return b64encode(levels.tobytes()).decode("ascii")
