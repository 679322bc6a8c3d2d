"""Names on a map: the grid and what its features are called in, a few words with their places out.

A window of cells has the name that most of its features have, or else lies mostly in one layer; three sizes of window
serve three zooms, since what is one region from afar is several from near.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ACROSS = (7, 14, 28)  # windows along the longer side, from afar to near
LEAST = 3  # cells along a window: a smaller one says nothing of a region
SHARE = 0.5  # of a window's features that have the name
COMMON = 120  # names tried at most, the most frequent first


class Region(NamedTuple):
    """A name at the middle of a window, in cells from the left and the top."""

    name: str
    x: float
    y: float
    share: float  # of the window's features that have the name


class Level(NamedTuple):
    """The regions that windows of one size find, none overlapping another; the clearest first."""

    side: int  # cells along a window
    regions: list[Region]


def regions_of(names: Sequence[str | None], cell: NDArray[np.intp], columns: int) -> list[Level]:
    """A level for each of ACROSS, as far as its windows are large enough; at least one.

    names: of each feature, or None; cell: (n,), as a Grid has them.
    """
    rows = int(cell.max()) // columns + 1
    sides = [round(max(columns, rows) / across) for across in ACROSS]
    sides = [side for side in sides if side >= LEAST] or [min(LEAST, rows, columns)]
    frequent = [name for name, count in Counter(filter(None, names)).most_common(COMMON) if count >= LEAST]
    return [Level(side, _regions(names, frequent, cell, (rows, columns), min(side, rows, columns))) for side in sides]


def _regions(
    names: Sequence[str | None], frequent: list[str], cell: NDArray[np.intp], shape: tuple[int, int], side: int
) -> list[Region]:
    taken = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.maximum(_sums(taken, side), 1)
    called = np.array(names, dtype=object)
    found: list[Region] = []
    for name in frequent:
        mine = np.bincount(cell[called == name], minlength=taken.size).reshape(shape)
        share = _sums(mine, side) / total
        for place in _peaks(share, side):
            y, x = divmod(place, share.shape[1])
            found.append(Region(name, x + side / 2, y + side / 2, round(float(share[y, x]), 2)))
    chosen: list[Region] = []
    for region in sorted(found, key=lambda region: -region.share):
        if all(max(abs(region.x - other.x), abs(region.y - other.y)) >= side for other in chosen):
            chosen.append(region)
    return chosen


def _peaks(share: NDArray[np.floating], side: int) -> list[int]:
    """Windows with SHARE or more, the clearest first, none overlapping another."""
    places = np.flatnonzero(share >= SHARE)
    places = places[np.argsort(-share.ravel()[places], kind="stable")]
    chosen: list[int] = []
    y, x = np.divmod(places, share.shape[1])
    left = np.ones(len(places), bool)
    while left.any():
        first = int(np.flatnonzero(left)[0])
        chosen.append(int(places[first]))
        left &= np.maximum(abs(y - y[first]), abs(x - x[first])) >= side
    return chosen


def _sums(values: NDArray[np.integer], side: int) -> NDArray[np.integer]:
    """The sum over each window of side × side cells that lies inside."""
    table = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
