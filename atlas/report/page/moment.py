"""The story that a trajectory tells, and one moment of it: the means of all channels as bars, and a
mark on the curves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atlas.report.page.lettering import QUIET, Face, width

Means = NDArray[np.float64]  # (n, channels); NaN where there is none

LINE = "#8a8a8a"
NAME = 7.5  # points
LIFT = 9  # points: how far above a plot its heading stands


@dataclass(frozen=True)
class Story:
    """The numbers, the channels they are about, and the range of activation that all pictures of it share."""

    steps: NDArray[np.float64]  # (n,)
    means: Means
    heroes: Sequence[tuple[int, str]]  # the driven channel and, if there is one, its rival, with their colours
    limits: tuple[float, float]

    @property
    def others(self) -> list[int]:
        """All channels but the heroes."""
        return [channel for channel in range(self.means.shape[1]) if channel not in dict(self.heroes)]


def draw_moment(figure: Figure, story: Story, moment: int) -> list[Artist]:
    """Draw row `moment` of the means as bars, and mark it on the curves; returns the artists, from back to front."""
    curves, bars = figure.axes
    step, values = story.steps[moment], story.means[moment]
    artists: list[Artist] = []
    if moment < len(story.steps) - 1:
        artists.append(curves.axvline(step, color="#b4b4b4", linewidth=0.7, zorder=1))
    others = [channel for channel in story.others if isfinite(values[channel])]
    thick = min(2.4, max(0.5, 0.55 * _inches(bars) * 72 / len(values)))
    stems = np.array([[(channel, 0), (channel, values[channel]), (channel, np.nan)] for channel in others]).reshape(
        -1, 2
    )
    artists += bars.plot(*stems.T, color="#a6a6a6", linewidth=thick, solid_capstyle="butt")
    artists.append(bars.axhline(0, color=LINE, linewidth=0.6))
    for channel, colour in reversed(story.heroes):
        if isfinite(values[channel]):
            artists += curves.plot(step, values[channel], "o", color=colour, markersize=4, markeredgewidth=0)
            artists += bars.plot(
                [channel] * 2, [0, values[channel]], color=colour, linewidth=max(1.4, thick), solid_capstyle="butt"
            )
            artists += bars.plot(channel, values[channel], "o", color=colour, markersize=4, markeredgewidth=0)
    return [*artists, *_draw_numbers(bars, story, values), _draw_clock(bars, step)]


def _draw_numbers(bars: Axes, story: Story, values: NDArray[np.float64]) -> list[Artist]:
    """The channels' numbers at the tips of their bars: above, or side by side where they would meet."""
    numbers = [channel for channel, _ in story.heroes]
    inch = _inches(bars) / np.diff(bars.get_xlim())[0]
    room = sum(width(str(number), Face(NAME, bold=True)) for number in numbers) / 2 + 0.08
    near = len(numbers) == 2 and abs(numbers[0] - numbers[1]) * inch < room
    artists: list[Artist] = []
    for (channel, colour), other in zip(story.heroes, reversed(numbers), strict=True):
        if isfinite(values[channel]):
            side = 0 if not near else 1 if channel > other else -1
            up = 1 if values[channel] >= 0 else -1
            artists.append(
                bars.annotate(
                    str(channel),
                    (channel, values[channel]),
                    (3 * side, 4 * up),
                    textcoords="offset points",
                    ha=("right", "center", "left")[side + 1],
                    va="bottom" if up > 0 else "top",
                    **Face(NAME, colour, bold=True).words,
                )
            )
    return artists


def _draw_clock(bars: Axes, step: float) -> Artist:
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    return bars.annotate(f"at step {step:.10g}", (0, 1), (0, LIFT), **place, **Face(NAME, QUIET).words)


def _inches(axes: Axes) -> float:
    """The width of a plot."""
    return axes.bbox.width / axes.figure.dpi
