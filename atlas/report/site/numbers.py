"""Numbers as they are written: few digits, null for what is no number, bytes for long vectors."""

from base64 import b64encode
from typing import Any

import numpy as np
import pyarrow as pa

DIGITS = 4
EDGES = 7  # digits of the two ends of a range, as many as float32 has: what lies between them is told by them


def rounded(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """To so many significant digits; powers of ten only multiply or divide whole, so that no tail of digits is left."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values) & (values != 0)
    places = digits - 1 - np.floor(np.log10(np.abs(values), where=known, out=np.zeros_like(values)))
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    with np.errstate(invalid="ignore"):
        return np.where(known, np.rint(values * up / down) / up * down, values)


def listed(values: np.ndarray, digits: int = DIGITS) -> list[float | None]:
    """Rounded; None for NaN and infinities."""
    found: list[Any] = rounded(values, digits).tolist()
    return found if np.isfinite(values).all() else [value if np.isfinite(value) else None for value in found]


def counted(values: np.ndarray) -> list[int | None]:
    """Whole numbers; None for NaN."""
    return [None if value != value else int(value) for value in values.tolist()]


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A column as float64, NaN for NULL."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def as_bytes(rows: np.ndarray) -> list[dict[str, Any] | None]:
    """Of each row {low, high, data}: every value as one byte, low + byte/255 · (high − low), in base64.

    None for a row without a finite value; values that are not finite are as the lowest.
    """
    known = np.isfinite(rows)
    some = np.asarray(known.any(1))
    low, high = (np.zeros(len(rows)), np.zeros(len(rows)))
    if rows.size:
        whole = known.all()
        low = rounded(np.where(some, (rows if whole else np.where(known, rows, np.inf)).min(1), 0), EDGES)
        high = rounded(np.where(some, (rows if whole else np.where(known, rows, -np.inf)).max(1), 0), EDGES)
    scale = np.divide(255, high - low, where=high > low, out=np.zeros(len(rows)))
    ends = zip(some.tolist(), low.tolist(), high.tolist(), strict=True)
    data = _steps(rows, known, low[:, None].astype(np.float32), scale[:, None].astype(np.float32))
    return [
        {"low": a, "high": b, "data": b64encode(row).decode("ascii")} if there else None
        for (there, a, b), row in zip(ends, data, strict=True)
    ]


def _steps(rows: np.ndarray, known: np.ndarray, low: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """In place, a copy apart: a row may be a matrix of many millions."""
    steps = np.where(known, rows, low).astype(np.float32, copy=False)
    steps -= low
    steps *= scale
    np.rint(steps, out=steps)
    return np.clip(steps, 0, 255, out=steps).astype(np.uint8)
