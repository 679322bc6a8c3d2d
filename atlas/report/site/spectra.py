"""Vectors of the index for the page of a feature: how an image's score went up, and what it does to
every channel.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from atlas.report.site.encoding import as_bytes, listed, rounded

RIVALS = 8  # channels named beside an image: those that it drives most


def traces(column: pa.ChunkedArray) -> list[list[float | None]]:
    """The numbers of each row of a column of lists; an empty list for NULL."""
    flat, starts = _flat(column)
    values = listed(flat)
    return [values[start:stop] for start, stop in pairwise(starts)]


def spectra(column: pa.ChunkedArray) -> tuple[list[Any], list[Any]]:
    """For each row its vector as bytes, and the channels that are highest in it with their values."""
    flat, starts = _flat(column)
    encoded: list[Any] = [None] * (len(starts) - 1)
    rivals: list[Any] = [[] for _ in encoded]
    for rows, vectors in _same_lengths(flat, np.array(starts)):
        for row, data, highest in zip(rows.tolist(), as_bytes(vectors), _rivals(vectors), strict=True):
            encoded[row], rivals[row] = data, highest
    return encoded, rivals


def _flat(column: pa.ChunkedArray) -> tuple[np.ndarray, list[int]]:
    """All numbers of a column of lists (n,), and where those of each row begin; then where the last ones end."""
    lists = column.combine_chunks()
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return lists.flatten().to_numpy(zero_copy_only=False), [0, *np.cumsum(lengths).tolist()]


def _same_lengths(flat: np.ndarray, starts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows whose vectors are of one length, and those as one matrix; with other weights a layer may be wider."""
    lengths = np.diff(starts)
    if len(lengths) and lengths[0] > 0 and (lengths == lengths[0]).all():
        yield np.arange(len(lengths)), flat.reshape(len(lengths), -1)
        return
    for length in np.unique(lengths[lengths > 0]).tolist():
        rows = np.flatnonzero(lengths == length)
        yield rows, flat[starts[rows][:, None] + np.arange(length)]


def _rivals(vectors: np.ndarray) -> list[list[list[float]]]:
    finite = np.where(np.isfinite(vectors), vectors, -np.inf)
    count = min(RIVALS, vectors.shape[1])
    most = np.argpartition(finite, -count, axis=1)[:, -count:] if count < vectors.shape[1] else _all(vectors)
    values = np.take_along_axis(finite, most, 1)
    order = np.lexsort((most, -values))
    most, values = np.take_along_axis(most, order, 1), rounded(np.take_along_axis(values, order, 1))
    return [
        [[channel, value] for channel, value in zip(*pair, strict=True) if np.isfinite(value)]
        for pair in zip(most.tolist(), values.tolist(), strict=True)
    ]


def _all(vectors: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(vectors.shape[1]), vectors.shape)
