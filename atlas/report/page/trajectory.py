"""Mean activations of a whole layer while one of its features is driven: as curves over the steps, and
at one moment.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image

from atlas.report.page.lettering import INK, QUIET, Face, cut_to_inches, families, width
from atlas.report.page.moment import LIFT, LINE, NAME, Means, Story, draw_moment
from atlas.report.page.paper import Heading, blank, finish_plots, snapshot

DRIVEN, RIVAL, OTHERS = "#c8102e", "#1b3a78", "#8c8c8c"
LARGEST_MEAN = 3e38  # near the largest number of 32 bits: a mean beyond it counts as none
WIDTH, HEIGHT = 7.2, 2.3  # inches: a page's two columns; the plots
HEADLINE = 3.1  # inches of the words above a plot: as far as the names beside it reach
BESIDE = 7  # points between a curve's end and its name
ROLE = 6.5  # points
BETWEEN = 0.04  # inches between names
FINEST = 200  # points of a curve of the others, at most: there are thousands of curves
FRAME_DPI = 120  # dots per inch of a frame
TICK = 6.5  # points: numbers along the axes
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def rival(means: ArrayLike, channel: int) -> int | None:
    """The other channel with the highest mean at the end of (n, channels), the first of equals; None without any other."""
    last = _finite(means)[-1]
    last[channel] = np.nan
    return None if np.isnan(last).all() else int(np.nanargmax(last))


def draw_trajectory(
    steps: ArrayLike,
    means: ArrayLike,
    *,
    channel: int,
    heading: Heading,
    layer: str,
) -> Figure:
    """Draw mean activations (n, channels) over steps (n,), and beside them those of the last step.

    `channel` is the driven one; values that are not finite are left out.
    """
    story = story_of(steps, means, channel)
    figure = draw_stage(story, heading, layer)
    draw_moment(figure, story, len(story.steps) - 1)
    return figure


def trajectory_frames(
    steps: ArrayLike,
    means: ArrayLike,
    *,
    channel: int,
    heading: Heading,
    layer: str,
) -> list[Image.Image]:
    """Draw the same at each of the n steps, as RGB pictures of one size; whatever stands still is drawn once."""
    story = story_of(steps, means, channel)
    figure = draw_stage(story, heading, layer)
    figure.set_dpi(FRAME_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ground, frames = canvas.copy_from_bbox(figure.bbox), []
    for moment in range(len(story.steps)):
        canvas.restore_region(ground)
        for artist in draw_moment(figure, story, moment):
            artist.draw(canvas.get_renderer())
            artist.remove()
        frames.append(snapshot(canvas))
    return frames


def story_of(steps: ArrayLike, means: ArrayLike, channel: int) -> Story:
    """The story of mean activations (n, channels) over steps (n,) while a channel is driven."""
    values, second = _finite(means), rival(means, channel)
    heroes = [(channel, DRIVEN), *([] if second is None else [(second, RIVAL)])]
    limits = _limits(values, [hero for hero, _ in heroes])
    return Story(np.asarray(steps, np.float64), values, heroes, limits)


def _finite(means: ArrayLike) -> Means:
    values = np.array(means, np.float64)
    values[~(np.abs(values) < LARGEST_MEAN)] = np.nan
    return values


def _limits(values: Means, heroes: Sequence[int]) -> tuple[float, float]:
    """A range that holds all values and 0, where bars begin, with room for a number at the tip of the longest bar."""
    low, high = np.nanmin(values, initial=0), np.nanmax(values, initial=0)
    if low == high:
        return 0.0, 1.0
    below = 0.12 if np.nanmin(values[:, heroes], initial=0) < 0 else 0.04
    return float(low - below * (high - low) if low < 0 else 0), float(high + 0.12 * (high - low))


def draw_stage(story: Story, heading: Heading, layer: str) -> Figure:
    """Draw all that does not depend on the moment: the words, both axes, and the curves with their names."""
    figure = blank()
    figure.set_figwidth(WIDTH)
    curves, moment = figure.subplots(1, 2, sharey=True)
    for axes, label in ((curves, "step"), (moment, "channel")):
        _quieten(axes)
        axes.set_xlabel(label, labelpad=3, **Face(NAME).words)
    curves.set_ylim(story.limits)
    first, last = story.steps.min(), story.steps.max()
    curves.set_xlim(*((first, last + 0.02 * (last - first)) if first < last else (first - 0.5, last + 0.5)))
    if first == last:
        curves.set_xticks([first])
    moment.tick_params(labelleft=False)
    pad = max(0.6, 0.03 * story.means.shape[1])
    moment.set_xlim(-pad, story.means.shape[1] - 1 + pad)
    _draw_headline(curves, layer)
    _draw_curves(curves, story)
    _draw_names(curves, story)
    return finish_plots(figure, HEIGHT, heading)


def _quieten(axes: Axes) -> None:
    """Two thin lines, few ticks, readable numbers."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=LINE, linewidth=0.6)
    axes.tick_params(labelsize=TICK, color=LINE, labelcolor=INK, width=0.6, length=2.5, pad=2, direction="out")
    axes.tick_params(labelfontfamily=list(families()))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _number(value: float) -> str:
    """A number as it is printed: with a true minus, and powers of ten raised."""
    digits, _, power = f"{value:.6g}".partition("e")
    return digits.replace("-", "−") + (f"×10{str(int(power)).translate(RAISED)}" if power else "")


def _draw_headline(curves: Axes, layer: str) -> None:
    """Write above the vertical axis what it shows."""
    face, words = Face(NAME, QUIET), "mean activation of every channel of "
    words += cut_to_inches(layer, HEADLINE - width(words, face), face)
    curves.annotate(words, (0, 1), (0, LIFT), xycoords="axes fraction", textcoords="offset points", **face.words)


def _draw_curves(axes: Axes, story: Story) -> None:
    others = story.others
    faint = min(0.7, max(0.04, 8 / max(1, len(others)) ** 0.67))
    points = np.unique(np.linspace(0, len(story.steps) - 1, FINEST).round().astype(int))
    paths = [np.column_stack([story.steps[points], story.means[points, channel]]) for channel in others]
    axes.add_collection(LineCollection(paths, colors=OTHERS, alpha=faint, linewidths=0.6), autolim=False)
    dot = "o" if len(story.steps) == 1 else ""
    if dot:
        axes.plot(np.repeat(story.steps, len(others)), story.means[0, others], "o", color=OTHERS, markersize=3)
    for channel, colour in reversed(story.heroes):
        axes.plot(story.steps, story.means[:, channel], color=colour, linewidth=1.5, marker=dot)


def _draw_names(curves: Axes, story: Story) -> None:
    """Write where the heroes' curves end what they are, instead of in a legend."""
    tall = Face(NAME).line + Face(ROLE).line
    starts = [HEIGHT * _depth(story, channel) - tall / 2 for channel, _ in story.heroes]
    heroes = zip(story.heroes, ("driven", "nearest rival"), apart(starts, tall), strict=False)
    for (channel, colour), role, start in heroes:
        name = Face(NAME, colour, bold=True)
        for words, face, at in ((f"channel {channel}", name, start), (role, Face(ROLE, colour), start + name.line)):
            place, below = (1, 1 - at / HEIGHT), (BESIDE, -face.size)
            curves.annotate(words, place, below, xycoords="axes fraction", textcoords="offset points", **face.words)


def apart(starts: Sequence[float], tall: float) -> list[float]:
    """Where one or two blocks of a height begin, moved as little as keeps them apart and beside the plot."""
    inside = [min(max(start, 0), HEIGHT - tall) for start in starts]
    if len(inside) < 2 or (lack := tall + BETWEEN - abs(inside[1] - inside[0])) <= 0:
        return inside
    upper = min(max(min(inside) - lack / 2, 0), HEIGHT - 2 * tall - BETWEEN)
    ends = [upper, upper + tall + BETWEEN]
    return ends if inside[0] <= inside[1] else ends[::-1]


def _depth(story: Story, channel: int) -> float:
    """How far below the upper end of the axis a channel's curve ends, in heights of the plot."""
    values = story.means[~np.isnan(story.means[:, channel]), channel]
    low, high = story.limits
    return float(np.clip((high - (values[-1] if len(values) else 0.0)) / (high - low), 0, 1))
