"""One moment of a trajectory: the means of all channels as bars, and where on the curves it is."""

from math import isfinite

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atlas.report.page.lettering import QUIET, Face, width
from atlas.report.page.line_ends import NAME
from atlas.report.page.story import LIFT, LINE, WIDTHS, Story


def draw_moment(figure: Figure, story: Story, moment: int) -> list[Artist]:
    """One row of the means as bars, and the place on the curves that it is; what was drawn, from back to front."""
    curves, bars = figure.axes
    step, values = story.steps[moment], story.means[moment]
    drawn: list[Artist] = []
    if moment < len(story.steps) - 1:
        drawn.append(curves.axvline(step, color="#b4b4b4", linewidth=0.7, zorder=1))
    others = [k for k in story.others if isfinite(values[k])]
    thick = min(2.4, max(0.5, 0.55 * WIDTHS[1] * 72 / len(values)))
    stems = np.array([[(k, 0), (k, values[k]), (k, np.nan)] for k in others]).reshape(-1, 2)
    drawn += bars.plot(*stems.T, color="#a6a6a6", linewidth=thick, solid_capstyle="butt")
    drawn.append(bars.axhline(0, color=LINE, linewidth=0.6))
    for channel, colour in reversed(story.heroes):
        if isfinite(values[channel]):
            drawn += curves.plot(step, values[channel], "o", color=colour, markersize=4, markeredgewidth=0)
            drawn += bars.plot(
                [channel] * 2, [0, values[channel]], color=colour, linewidth=max(1.4, thick), solid_capstyle="butt"
            )
            drawn += bars.plot(channel, values[channel], "o", color=colour, markersize=4, markeredgewidth=0)
    return [*drawn, *_draw_numbers(bars, story, values), _draw_clock(bars, step)]


def _draw_numbers(bars: Axes, story: Story, values: NDArray[np.float64]) -> list[Artist]:
    """The channels' numbers at the tips of their bars: above, or side by side where they would meet."""
    numbers = [channel for channel, _ in story.heroes]
    inch = WIDTHS[1] / np.diff(bars.get_xlim())[0]
    room = sum(width(str(number), Face(NAME, bold=True)) for number in numbers) / 2 + 0.08
    near = len(numbers) == 2 and abs(numbers[0] - numbers[1]) * inch < room
    drawn: list[Artist] = []
    for (channel, colour), other in zip(story.heroes, reversed(numbers), strict=True):
        if isfinite(values[channel]):
            side = 0 if not near else 1 if channel > other else -1
            up = 1 if values[channel] >= 0 else -1
            drawn.append(
                bars.annotate(
                    str(channel),
                    (channel, values[channel]),
                    (3 * side, 4 * up),
                    textcoords="offset points",
                    ha=("right", "center", "left")[side + 1],
                    va="bottom" if up > 0 else "top",
                    fontproperties=Face(NAME, bold=True).font,
                    color=colour,
                )
            )
    return drawn


def _draw_clock(bars: Axes, step: float) -> Artist:
    return bars.annotate(
        f"at step {step:.10g}",
        (0, 1),
        (0, LIFT),
        xycoords="axes fraction",
        textcoords="offset points",
        fontproperties=Face(NAME).font,
        color=QUIET,
    )
