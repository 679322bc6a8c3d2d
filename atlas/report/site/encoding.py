"""How data is written for a browser: a classic script of one statement, since nothing else loads from file://.

Numbers have few digits, null stands for what is no number, and long vectors are bytes in base64.
"""

import json
import math
import string
from base64 import b64encode
from typing import Any

import numpy as np
import pyarrow as pa

Json = dict[str, Any]

DIGITS = 4  # significant ones
FINE = 2000  # steps of a scale: a page shows two digits after the point, and bars of less than so many pixels
LETTERS = np.frombuffer(f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}+/".encode(), np.uint8)
EDGES = 7  # digits of the two ends of a range, as many as float32 has: all values between are computed from them


def script(key: str, value: Any) -> bytes:
    """`atlas.put("<key>", <JSON>);` in ASCII, so that no character can matter; ValueError for NaN, which JSON has not."""
    return f"atlas.put({_json(key)}, {_json(value)});".encode("ascii")


def value_of(data: bytes) -> Any:
    """The value that a script puts."""
    return json.loads(b"[" + data.removeprefix(b"atlas.put(").removesuffix(b");") + b"]")[1]


def rounded(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """Values to so many significant digits.

    Powers of ten with whole exponents multiply and divide, so that no tail of digits is left.
    """
    values = np.asarray(values, np.float64)
    roundable = np.isfinite(values) & (values != 0)
    places = digits - 1 - np.floor(np.log10(np.abs(values), where=roundable, out=np.zeros_like(values)))
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    with np.errstate(invalid="ignore"):
        return np.where(roundable, np.rint(values * up / down) / up * down, values)


def listed(values: np.ndarray) -> list[float | None]:
    """Rounded values; None for NaN and infinities."""
    numbers: list[Any] = rounded(values).tolist()
    return numbers if np.isfinite(values).all() else [value if np.isfinite(value) else None for value in numbers]


def counted(values: np.ndarray) -> list[int | None]:
    """Whole numbers; None for NaN."""
    return [None if value != value else int(value) for value in values.tolist()]


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A column as float64, NaN for NULL."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def as_bytes(rows: np.ndarray) -> list[dict[str, Any] | None]:
    """For each row {low, high, data}: data has one byte for every value, low + byte/255 · (high − low), in base64.

    None for a row without a finite value; a value that is not finite becomes the lowest.
    """
    finite = np.isfinite(rows)
    some = np.asarray(finite.any(1))
    low, high = (np.zeros(len(rows)), np.zeros(len(rows)))
    if rows.size:
        whole = finite.all()
        low = rounded(np.where(some, (rows if whole else np.where(finite, rows, np.inf)).min(1), 0), EDGES)
        high = rounded(np.where(some, (rows if whole else np.where(finite, rows, -np.inf)).max(1), 0), EDGES)
    scale = np.divide(255, high - low, where=high > low, out=np.zeros(len(rows)))
    ends = zip(some.tolist(), low.tolist(), high.tolist(), strict=True)
    data = _steps(rows, finite, low[:, None].astype(np.float32), scale[:, None].astype(np.float32))
    return [
        {"low": a, "high": b, "data": b64encode(row).decode("ascii")} if there else None
        for (there, a, b), row in zip(ends, data, strict=True)
    ]


def in_bytes(values: np.ndarray) -> tuple[float, float, np.ndarray] | None:
    """Low, high, and values as steps of uint8 between them; None without a finite value; one that is not finite is 0."""
    finite = np.isfinite(values)
    if not finite.any():
        return None
    low, high = (float(end) for end in rounded(np.array([values[finite].min(), values[finite].max()]), EDGES))
    ends = np.array([low, 255 / (high - low) if high > low else 0.0], np.float32)
    return low, high, _steps(values, finite, ends[:1, None], ends[1:, None])


def _steps(rows: np.ndarray, finite: np.ndarray, low: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Each value as a step from 0 to 255. One copy, changed in place: a row may be a matrix of many millions."""
    steps = np.where(finite, rows, low).astype(np.float32, copy=False)
    steps -= low
    steps *= scale
    np.rint(steps, out=steps)
    return np.clip(steps, 0, 255, out=steps).astype(np.uint8)


def step_of(values: np.ndarray) -> float:
    """The power of ten of which FINE or more lie between the lowest and the highest of finite values.

    Of values that hardly differ, as fine as their size needs; 1 where all are 0 or there are none.
    """
    finite = values[np.isfinite(values)]
    span = max(float(np.ptp(finite)), float(np.abs(finite).max()) / FINE) if len(finite) else 0.0
    return 10.0 ** math.floor(math.log10(span / FINE)) if span > 0 else 1.0


def lettered(levels: np.ndarray) -> str:
    """Bytes as letters of base64, one for each, which compresses as bytes in base64 do not: 64 levels, more than an eye tells."""
    return LETTERS[np.rint(levels * ((len(LETTERS) - 1) / 255)).astype(np.intp)].tobytes().decode("ascii")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
