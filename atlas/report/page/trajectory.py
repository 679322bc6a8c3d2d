"""Mean activations of a whole layer while one of its features is driven: as curves over the steps, and
at one moment.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike
from PIL import Image

from atlas.report.page.lettering import INK, QUIET, Face, cut_to_inches, families, width, write, write_heading
from atlas.report.page.line_ends import NAME, End, write_ends
from atlas.report.page.moment import LIFT, LINE, WIDTHS, Means, Story, draw_moment
from atlas.report.page.panels import snapshot

DRIVEN, RIVAL, OTHERS = "#c8102e", "#1b3a78", "#8c8c8c"
LARGEST_MEAN = 3e38  # near the largest number of 32 bits: a mean beyond it counts as none
WIDTH, HEIGHT, FOOT = 7.2, 2.3, 0.46  # inches: a page's two columns; the plots; their axes below them
LEFTS = (0.66, 4.32)  # inches: where the plots begin; names of curves stand between them
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
    title: str,
    subtitle: str,
    layer: str,
) -> Figure:
    """Draw mean activations (n, channels) over steps (n,), and beside them those of the last step.

    `channel` is the driven one; values that are not finite are left out.
    """
    story = story_of(steps, means, channel)
    figure = draw_stage(story, (title, subtitle), layer)
    draw_moment(figure, story, len(story.steps) - 1)
    return figure


def trajectory_frames(
    steps: ArrayLike,
    means: ArrayLike,
    *,
    channel: int,
    title: str,
    subtitle: str,
    layer: str,
) -> list[Image.Image]:
    """Draw the same at each of the n steps, as RGB pictures of one size; whatever stands still is drawn once."""
    story = story_of(steps, means, channel)
    figure = draw_stage(story, (title, subtitle), layer)
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


def draw_stage(story: Story, heading: tuple[str, str], layer: str) -> Figure:
    """Draw all that does not depend on the moment: the words, both axes, and the curves with their names."""
    figure = Figure(figsize=(WIDTH, 1), facecolor="white")
    top = write_heading(figure, *heading) + 0.22
    figure.set_size_inches(WIDTH, top + HEIGHT + FOOT)
    _draw_headline(figure, layer, top)
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
    _draw_names(figure, story, top)
    return figure


def _axes(figure: Figure, left: float, across: float, top: float) -> Axes:
    """Quiet axes whose upper left corner is at (left, top) inches: two thin lines, few ticks, readable numbers."""
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
    """A number as it is printed: with a true minus, and powers of ten raised."""
    digits, _, power = f"{value:.6g}".partition("e")
    return digits.replace("-", "−") + (f"×10{str(int(power)).translate(RAISED)}" if power else "")


def _draw_headline(figure: Figure, layer: str, top: float) -> None:
    """Write above the vertical axis what it shows."""
    face, words = Face(NAME, QUIET), "mean activation of every channel of "
    words += cut_to_inches(layer, LEFTS[1] - LEFTS[0] - 0.15 - width(words, face), face)
    write(figure, [words], (LEFTS[0], top - (LIFT + NAME) / 72), face)


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


def _draw_names(figure: Figure, story: Story, top: float) -> None:
    ends = [
        End(f"channel {channel}", role, colour, top + HEIGHT * _depth(story, channel))
        for (channel, colour), role in zip(story.heroes, ("driven", "nearest rival"), strict=False)
    ]
    left = LEFTS[0] + WIDTHS[0] + 0.1
    write_ends(figure, ends, left=left, room=LEFTS[1] - left - 0.2, top=top, bottom=top + HEIGHT)


def _depth(story: Story, channel: int) -> float:
    """How far below the upper end of the axis a channel's curve ends, in heights of the plot."""
    values = story.means[~np.isnan(story.means[:, channel]), channel]
    low, high = story.limits
    return float(np.clip((high - (values[-1] if len(values) else 0.0)) / (high - low), 0, 1))
