"""A full rectangle of cells for the features of a map: places on a plane in, a cell for each out, neighbors beside neighbors.

Gaps, and the sizes of groups, mean nothing in t-SNE; so nothing is lost where there are none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]  # (n, 2)
Numbers = NDArray[np.intp]
NARROWEST, WIDEST = 1.75, 2.25  # columns to a row: a window below its bar


class Box(NamedTuple):
    """A rectangle of cells."""

    x: int
    y: int
    wide: int
    high: int

    def halves(self) -> tuple["Box", "Box"]:
        """The two halves, parted across the longer side; the second is not the smaller one."""
        x, y, wide, high = self
        if wide >= high:
            return Box(x, y, wide // 2, high), Box(x + wide // 2, y, wide - wide // 2, high)
        return Box(x, y, wide, high // 2), Box(x, y + high // 2, wide, high - high // 2)


class Grid(NamedTuple):
    """Cells in rows of `columns`; the last row may be shorter. cell: (n,) of each feature, row · columns + column."""

    columns: int
    rows: int
    cell: Numbers


def grid_of(points: Points) -> Grid:
    """Give each of n ≥ 1 points a cell of its own.

    A rectangle is halved across its longer side, either half takes as many points as it has cells, in the order of that
    axis, and so on with both. About half of each point's ten nearest stay among its ten nearest; swaps of cells, which
    bring points nearer to their places, leave fewer.
    """
    columns, rows = shape_of(len(points))
    cell = np.empty(len(points), np.intp)
    _place(points, np.arange(len(points)), Box(0, 0, columns, rows), columns, cell)
    return Grid(columns, rows, cell)


def shape_of(count: int) -> tuple[int, int]:
    """Columns and rows for so many cells: of the rectangles in a window's shape, one that leaves the fewest over."""
    low, high = (max(1, round((count * ratio) ** 0.5)) for ratio in (NARROWEST, WIDEST))
    columns = min(range(low, high + 1), key=lambda wide: (-count % wide, wide))
    return columns, -(-count // columns)


def _place(points: Points, members: Numbers, box: Box, columns: int, cell: Numbers) -> None:
    """Write the cells of the members, of which there are as many as the box has cells."""
    axis = 0 if box.wide >= box.high else 1
    members = members[np.argsort(points[members, axis], kind="stable")]
    if min(box.wide, box.high) == 1:
        cell[members] = box.y * columns + box.x + np.arange(len(members)) * (1 if axis == 0 else columns)
        return
    first, second = box.halves()
    count = _capacity(first, columns, len(cell))
    for half, some in ((first, members[:count]), (second, members[count:])):
        if len(some):
            _place(points, some, half, columns, cell)


def _capacity(box: Box, columns: int, total: int) -> int:
    """How many of the `total` cells lie in a box: the last row may be shorter than the others."""
    whole, rest = divmod(total, columns)
    full = max(0, min(box.y + box.high, whole) - box.y)
    last = max(0, min(box.x + box.wide, rest) - box.x) if box.y + box.high > whole else 0
    return box.wide * full + last
