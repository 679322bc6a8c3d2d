"""What a whole layer does while one of its features is driven: mean activations over the steps, and at one moment."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike
from PIL import Image

from atlas.report.page.lettering import INK, QUIET, Face, families, fitted, width, write, write_heading
from atlas.report.page.line_ends import NAME, End, write_ends
from atlas.report.page.moment import draw_moment
from atlas.report.page.panels import snapshot
from atlas.report.page.story import LIFT, LINE, WIDTHS, Means, Story

Naming = Callable[[int], str] | str  # a channel's name, or that of its layer

DRIVEN, RIVAL, OTHERS = "#c8102e", "#1b3a78", "#8c8c8c"
LARGEST = 3e38  # a mean beyond what 32 bits can say is none
WIDTH, HEIGHT, FOOT = 7.2, 2.3, 0.46  # inches: a page's two columns; the plots; their axes below them
LEFTS = (0.66, 4.32)  # inches: where the plots begin; names of curves stand between them
FINEST = 200  # points of the curves of the others, at most: thousands are drawn
TICK = 6.5  # points: numbers along the axes
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def rival(means: ArrayLike, channel: int) -> int | None:
    """The other channel that is highest at the end of means (n, channels), the lower one of equals; None without any."""
    last = _finite(means)[-1]
    last[channel] = np.nan
    return None if np.isnan(last).all() else int(np.nanargmax(last))


def draw_trajectory(
    steps: ArrayLike,
    means: ArrayLike,
    *,
    channel: int,
    title: str,
    subtitle: str = "",
    name: Naming = "",
    upto: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw mean activations (n, channels) over steps (n,), and beside them those of one moment: row `upto`, or the last.

    Values that are not finite are left out. Limits: the range of activation shown, else that of the values and 0.
    """
    story = _story(steps, means, channel, limits)
    figure = _stage(story, (title, subtitle), name)
    draw_moment(figure, story, len(story.steps) - 1 if upto is None else upto)
    return figure


def trajectory_frames(
    steps: ArrayLike,
    means: ArrayLike,
    *,
    channel: int,
    title: str,
    subtitle: str = "",
    name: Naming = "",
    dpi: int = 120,
) -> list[Image.Image]:
    """The trajectory at each of its moments. What stands still is drawn once."""
    story = _story(steps, means, channel, None)
    figure = _stage(story, (title, subtitle), name)
    figure.set_dpi(dpi)
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


def _story(steps: ArrayLike, means: ArrayLike, channel: int, limits: tuple[float, float] | None) -> Story:
    values, second = _finite(means), rival(means, channel)
    heroes = [(channel, DRIVEN), *([] if second is None else [(second, RIVAL)])]
    span = _limits(values, [channel for channel, _ in heroes]) if limits is None else limits
    return Story(np.asarray(steps, np.float64), values, heroes, span)


def _finite(means: ArrayLike) -> Means:
    values = np.array(means, np.float64)
    values[~(np.abs(values) < LARGEST)] = np.nan
    return values


def _limits(values: Means, heroes: Sequence[int]) -> tuple[float, float]:
    """From 0, where bars begin, to all values, with room for a number at the tip of the longest bar."""
    low, high = np.nanmin(values, initial=0), np.nanmax(values, initial=0)
    if low == high:
        return 0.0, 1.0
    below = 0.12 if np.nanmin(values[:, heroes], initial=0) < 0 else 0.04
    return float(low - below * (high - low) if low < 0 else 0), float(high + 0.12 * (high - low))


def _stage(story: Story, heading: tuple[str, str], name: Naming) -> Figure:
    """Everything that does not depend on the moment: the words, both axes, and the curves with their names."""
    figure = Figure(figsize=(WIDTH, 1), facecolor="white")
    top = write_heading(figure, *heading) + 0.22
    figure.set_size_inches(WIDTH, top + HEIGHT + FOOT)
    _draw_headline(figure, name, top)
    curves, moment = (_axes(figure, left, across, top) for left, across in zip(LEFTS, WIDTHS, strict=True))
    for axes, label in ((curves, "step"), (moment, "channel")):
        axes.set_ylim(story.limits)
        axes.set_xlabel(label, fontproperties=Face(NAME).font, color=INK, labelpad=3)
    first, last = story.steps.min(), story.steps.max()
    curves.set_xlim(*((first, last + 0.02 * (last - first)) if first < last else (first - 0.5, last + 0.5)))
    if first == last:
        curves.set_xticks([first])
    moment.yaxis.set_major_formatter(NullFormatter())
    pad = max(0.6, 0.03 * story.means.shape[1])
    moment.set_xlim(-pad, story.means.shape[1] - 1 + pad)
    _draw_curves(curves, story)
    _draw_names(figure, story, name, top)
    return figure


def _axes(figure: Figure, left: float, across: float, top: float) -> Axes:
    """Quiet axes at a place in inches: two thin lines, few ticks, numbers as one reads them."""
    tall = figure.get_figheight()
    axes = figure.add_axes((left / WIDTH, 1 - (top + HEIGHT) / tall, across / WIDTH, HEIGHT / tall), facecolor="none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=LINE, linewidth=0.6)
    axes.tick_params(labelsize=TICK, color=LINE, labelcolor=INK, width=0.6, length=2.5, pad=2, direction="out")
    axes.tick_params(labelfontfamily=list(families()))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
    return axes


def _number(value: float) -> str:
    """As it is printed: a true minus, and powers of ten raised."""
    digits, _, power = f"{value:.6g}".partition("e")
    return digits.replace("-", "−") + (f"×10{str(int(power)).translate(RAISED)}" if power else "")


def _draw_headline(figure: Figure, name: Naming, top: float) -> None:
    """What the vertical axis is, above it."""
    face, told = Face(NAME, QUIET), "mean activation of every channel"
    if isinstance(name, str) and name:
        told += " of "
        told += fitted(name, LEFTS[1] - LEFTS[0] - 0.15 - width(told, face), face)
    write(figure, [told], (LEFTS[0], top - (LIFT + NAME) / 72), face)


def _draw_curves(axes: Axes, story: Story) -> None:
    others = story.others
    faint = min(0.7, max(0.04, 8 / max(1, len(others)) ** 0.67))
    some = np.unique(np.linspace(0, len(story.steps) - 1, FINEST).round().astype(int))
    paths = [np.column_stack([story.steps[some], story.means[some, channel]]) for channel in others]
    axes.add_collection(LineCollection(paths, colors=OTHERS, alpha=faint, linewidths=0.6), autolim=False)
    dot = "o" if len(story.steps) == 1 else ""
    if dot:
        axes.plot(np.repeat(story.steps, len(others)), story.means[0, others], "o", color=OTHERS, markersize=3)
    for channel, colour in reversed(story.heroes):
        axes.plot(story.steps, story.means[:, channel], color=colour, linewidth=1.5, marker=dot)


def _draw_names(figure: Figure, story: Story, name: Naming, top: float) -> None:
    called = name if callable(name) else "channel {}".format
    ends = [
        End(called(channel), role, colour, top + HEIGHT * _depth(story, channel))
        for (channel, colour), role in zip(story.heroes, ("driven", "nearest rival"), strict=False)
    ]
    left = LEFTS[0] + WIDTHS[0] + 0.1
    write_ends(figure, ends, left=left, room=LEFTS[1] - left - 0.2, top=top, bottom=top + HEIGHT)


def _depth(story: Story, channel: int) -> float:
    """How far below the upper end of the axis a channel's curve ends, in heights of the plot."""
    seen = story.means[~np.isnan(story.means[:, channel]), channel]
    low, high = story.limits
    return float(np.clip((high - (seen[-1] if len(seen) else 0.0)) / (high - low), 0, 1))
