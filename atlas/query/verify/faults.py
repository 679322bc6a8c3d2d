"""What is wrong with one row of the index, and with the image that it names."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
from PIL import Image

from atlas.records import Address
from atlas.store.index import Row

STATUSES = ("ok", "dead")
NEVER_NULL = ("feature", "model", "layer", "channel", "target", "metric", "recipe", "seed", "status", "task", "image")


class RowCheck:
    """Checks rows of one index file after another, and remembers how long the activation vectors of a layer are."""

    def __init__(self) -> None:
        self._lengths: dict[tuple[str, ...], int] = {}  # by model, layer and weights

    def faults(self, table: pa.Table) -> Iterator[tuple[Row, list[str]]]:
        """Each row of an index file, without its vectors, and everything that is wrong in it."""
        vectors = table.column("activation").combine_chunks()
        finite = np.isfinite(vectors.flatten().to_numpy(zero_copy_only=False))
        not_finite = set(vectors.value_parent_indices().to_numpy()[~finite].tolist())
        rows = table.drop_columns(["activation", "trace"]).to_pylist()
        for number, (row, length) in enumerate(zip(rows, vectors.value_lengths().to_pylist(), strict=True)):
            yield row, [*_column_faults(row), *self._vector_faults(row, length, number not in not_finite)]

    def _vector_faults(self, row: Row, length: int | None, finite: bool) -> Iterator[str]:
        """A layer's vectors are all as long as the layer has channels; other weights may be another network."""
        if length is None:
            if row["status"] == "ok":
                yield "no activation vector"
            return
        usual = self._lengths.setdefault((row["model"], row["layer"], row["weights"]), length)
        if length != usual:
            yield f"activation vector of {length} channels, where others of the layer have {usual}"
        if row["channel"] is not None and not 0 <= row["channel"] < length:
            yield f"channel {row['channel']} of a layer with {length} channels"
        if not finite and row["status"] == "ok":
            yield "activation vector is not finite"


def _column_faults(row: Row) -> Iterator[str]:
    missing = [name for name in NEVER_NULL if row[name] is None]
    if missing:
        yield f"NULL in {', '.join(missing)}"
        return
    if row["status"] not in STATUSES:
        yield f"status {row['status']!r} is neither ok nor dead"
    if row["feature"] != (address := str(Address(row["model"], row["layer"], row["channel"]))):
        yield f"address {row['feature']} is not that of its columns, {address}"


def image_fault(root: Path, row: Row) -> str | None:
    """What is wrong with a row's image: gone, changed, not of its size, or no picture."""
    parts = PurePosixPath(row["image"] or "").parts
    if parts[:1] != ("images",) or ".." in parts:
        return f"image {row['image']!r} is no path under images/"
    try:
        data = (root / row["image"]).read_bytes()
    except FileNotFoundError:
        return "the image is missing"
    except OSError as error:
        return f"the image cannot be read: {error}"
    if hashlib.sha256(data).hexdigest() != row["image_sha256"]:
        return "the image is not the one that was written (sha256)"
    return _picture_fault(data, (row["width"], row["height"]))


def _picture_fault(data: bytes, size: tuple[int, int]) -> str | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.size != size:
                return f"the image is {image.width} x {image.height}, its row says {size[0]} x {size[1]}"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"the image cannot be decoded: {error}"
    return None
