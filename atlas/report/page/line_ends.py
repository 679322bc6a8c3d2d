"""Names written where curves end, instead of a legend: as near as they do not meet each other or leave the plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from atlas.report.page.lettering import Face, wrapped, write

NAME, ROLE = 7.5, 6.5  # points
MOST = 3  # lines of a name
BETWEEN = 0.04  # inches


@dataclass(frozen=True)
class End:
    """A curve's name and role, and at how many inches from the figure's upper edge it ends."""

    name: str
    role: str
    colour: str
    at: float


def write_ends(figure: Figure, ends: Sequence[End], *, left: float, room: float, top: float, bottom: float) -> None:
    """Write one or two names beside a plot, all in inches from the figure's upper left corner."""
    faces = [(Face(NAME, end.colour, bold=True), Face(ROLE, end.colour)) for end in ends]
    names = [wrapped(end.name, room, strong, MOST) for end, (strong, _) in zip(ends, faces, strict=True)]
    tall = [len(name) * strong.line + small.line for name, (strong, small) in zip(names, faces, strict=True)]
    starts = apart([end.at - height / 2 for end, height in zip(ends, tall, strict=True)], tall, top, bottom)
    for end, (strong, small), name, start in zip(ends, faces, names, starts, strict=True):
        write(figure, [end.role], (left, write(figure, name, (left, start), strong)), small)


def apart(starts: Sequence[float], tall: Sequence[float], top: float, bottom: float) -> list[float]:
    """Where blocks of these heights begin, moved as little as keeps them from each other and within the space."""
    order = sorted(range(len(starts)), key=lambda k: starts[k] + tall[k] / 2)
    placed = [min(max(start, top), bottom - height) for start, height in zip(starts, tall, strict=True)]
    for upper, lower in pairwise(order):
        lack = max(0.0, placed[upper] + tall[upper] + BETWEEN - placed[lower])
        placed[upper] = max(top, placed[upper] - lack / 2)
        placed[lower] = min(max(placed[lower], placed[upper] + tall[upper] + BETWEEN), bottom - tall[lower])
        placed[upper] = min(placed[upper], placed[lower] - tall[upper] - BETWEEN)
    return placed
