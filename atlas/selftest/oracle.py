"""The measures as METHODS defines them, one pair of features at a time in float64: slow and obvious,
sharing no code.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from atlas.selftest.comparison import Ranks
from atlas.selftest.planted import Planted


def scores(data: Planted, measure: str) -> Float64[np.ndarray, "f g"]:
    """The score of every pair; NaN where there is none."""
    features = range(len(data.addresses))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([[ORACLES[measure](data, f, g) for g in features] for f in features])


def ranks(data: Planted, known: Float64[np.ndarray, "f g"], *, top: int, bottom: int) -> Ranks:
    """Who must stand where in a table of all features, whose scores are `known`: by score, ties by address."""
    features = range(len(data.addresses))
    table: Ranks = {}
    for sign, length in ((1, top), (-1, bottom)):
        lists = [_ranking(known[f], f, data.addresses, sign)[:length] for f in features]
        for f, row in enumerate(lists):
            for rank, g in enumerate(row, start=1):
                back = lists[g].index(f) + 1 if f in lists[g] else None
                table[data.addresses[f], sign, rank] = (data.addresses[g], back, back is not None)
    return table


def _ranking(row: Float64[np.ndarray, "g"], f: int, addresses: list[str], sign: int) -> list[int]:
    candidates = [g for g in range(len(row)) if g != f and np.isfinite(row[g])]
    return sorted(candidates, key=lambda g: (-sign * np.float32(row[g]), addresses[g]))


def _moments(data: Planted, g: int) -> tuple[float, float]:
    """Mean and deviation over all pictures but g's own."""
    others = data.made_for != g
    weight = data.roles.weight[others] / data.roles.weight[others].sum()
    values = data.values[others, g].astype(np.float64)
    mean = (weight * values).sum()
    return mean, np.sqrt((weight * (values - mean) ** 2).sum())


def _raw(data: Planted, f: int, g: int) -> float:
    return data.values[data.made_for == f, g].astype(np.float64).mean()


def _z(data: Planted, f: int, g: int) -> float:
    mean, deviation = _moments(data, g)
    return (_raw(data, f, g) - mean) / deviation


def _drive(data: Planted, f: int, g: int) -> float:
    mean, _ = _moments(data, g)
    lift = _raw(data, g, g) - mean
    return (_raw(data, f, g) - mean) / lift if lift > 0 else np.nan


def _sym(data: Planted, f: int, g: int) -> float:
    return (_z(data, f, g) + _z(data, g, f)) / 2


def _profile(data: Planted, f: int, g: int) -> float:
    weight = data.roles.weight
    a, b = data.values[:, f].astype(np.float64), data.values[:, g].astype(np.float64)
    a, b = a - (weight * a).sum(), b - (weight * b).sum()
    return (weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum())


ORACLES: dict[str, Callable[[Planted, int, int], float]] = {
    "raw": _raw,
    "z": _z,
    "drive": _drive,
    "sym": _sym,
    "profile": _profile,
}
