"""What may be wrong with one row of the index, and with the image that it names."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from atlas.records import Address

STATUS = ("ok", "dead")
NEEDED = ("feature", "model", "layer", "channel", "target", "metric", "recipe", "seed", "status", "task", "image")
Row = dict[str, Any]


def row_faults(table: pa.Table, lengths: dict[tuple[str, ...], int]) -> Iterator[tuple[Row, list[str]]]:
    """Each row of one index file with all that is wrong in it. `lengths` remembers how long a layer's vectors are."""
    vectors = table.column("activation").combine_chunks()
    finite = np.isfinite(vectors.flatten().to_numpy(zero_copy_only=False))
    unsound = set(vectors.value_parent_indices().to_numpy()[~finite].tolist())
    plain = table.drop_columns(["activation", "trace"]).to_pylist()
    for place, (row, size) in enumerate(zip(plain, vectors.value_lengths().to_pylist(), strict=True)):
        yield row, [*_column_faults(row), *_vector_faults(row, size, place in unsound, lengths)]


def _column_faults(row: Row) -> Iterator[str]:
    missing = [name for name in NEEDED if row[name] is None]
    if missing:
        yield f"NULL in {', '.join(missing)}"
        return
    if row["status"] not in STATUS:
        yield f"status {row['status']!r} is neither ok nor dead"
    if row["feature"] != (address := str(Address(row["model"], row["layer"], row["channel"]))):
        yield f"address {row['feature']} is not that of its columns, {address}"


def _vector_faults(row: Row, size: int | None, unsound: bool, lengths: dict[tuple[str, ...], int]) -> Iterator[str]:
    """A layer's vectors are all as long as the layer has channels; other weights may be another network."""
    if size is None:
        if row["status"] == "ok":
            yield "no activation vector"
        return
    usual = lengths.setdefault((row["model"], row["layer"], row["weights"]), size)
    if size != usual:
        yield f"activation vector of {size} channels, where others of the layer have {usual}"
    if row["channel"] is not None and not 0 <= row["channel"] < size:
        yield f"channel {row['channel']} of a layer with {size} channels"
    if unsound and row["status"] == "ok":
        yield "activation vector is not finite"


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
