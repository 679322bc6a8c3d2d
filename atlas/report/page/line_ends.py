"""Names of curves, written where they end instead of in a legend; moved so that they do not overlap or
leave the plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from atlas.report.page.lettering import Face, wrapped, write

NAME, ROLE = 7.5, 6.5  # points
NAME_LINES = 3  # of a name, at most
BETWEEN = 0.04  # inches


@dataclass(frozen=True)
class End:
    """The end of a curve: its name and role, and how many inches below the figure's upper edge it is."""

    name: str
    role: str
    colour: str
    at: float


def write_ends(figure: Figure, ends: Sequence[End], *, left: float, room: float, top: float, bottom: float) -> None:
    """Write one or two names beside a plot, all in inches from the figure's upper left corner."""
    faces = [(Face(NAME, end.colour, bold=True), Face(ROLE, end.colour)) for end in ends]
    names = [wrapped(end.name, room, strong, NAME_LINES) for end, (strong, _) in zip(ends, faces, strict=True)]
    tall = [len(name) * strong.line + small.line for name, (strong, small) in zip(names, faces, strict=True)]
    starts = apart([end.at - height / 2 for end, height in zip(ends, tall, strict=True)], tall, top, bottom)
    for end, (strong, small), name, start in zip(ends, faces, names, starts, strict=True):
        write(figure, [end.role], (left, write(figure, name, (left, start), strong)), small)


def apart(starts: Sequence[float], tall: Sequence[float], top: float, bottom: float) -> list[float]:
    """Where blocks of these heights begin, moved as little as it takes to keep them apart and within the space."""
    order = sorted(range(len(starts)), key=lambda k: starts[k] + tall[k] / 2)
    moved = [min(max(start, top), bottom - height) for start, height in zip(starts, tall, strict=True)]
    for upper, lower in pairwise(order):
        lack = max(0.0, moved[upper] + tall[upper] + BETWEEN - moved[lower])
        moved[upper] = max(top, moved[upper] - lack / 2)
        moved[lower] = min(max(moved[lower], moved[upper] + tall[upper] + BETWEEN), bottom - tall[lower])
        moved[upper] = min(moved[upper], moved[lower] - tall[upper] - BETWEEN)
    return moved
