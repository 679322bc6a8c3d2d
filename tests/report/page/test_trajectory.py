"""Trajectories: the driven feature, its rival and all others are seen and named, whatever the numbers are."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.transforms import Bbox

from atlas.report.page.moment import draw_moment
from atlas.report.page.paper import Heading, render
from atlas.report.page.trajectory import (
    BETWEEN,
    DRIVEN,
    FRAME_DPI,
    HEIGHT,
    RIVAL,
    apart,
    draw_stage,
    draw_trajectory,
    rival,
    story_of,
    trajectory_frames,
)

pytestmark = pytest.mark.job

WORDS = dict(heading=Heading("One feature is driven", "alpha / conv1"), layer="conv1")


def made(steps, channels, driven=1, second=2):
    """Curves that rise to different ends: the driven one to 3, one other to 2, and the rest below 1."""
    ends = np.random.default_rng(0).random(channels)
    ends[[driven, second]] = 3, 2
    return np.arange(steps) * 4, np.linspace(0, 1, steps)[:, None] ** 0.5 * ends


def letters(figure):
    """Texts that show something, and where they are."""
    figure.set_dpi(200)
    render(figure, 200)
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += axes.texts
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            texts += [axis.label, *(tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high)]
    return {text: text.get_window_extent() for text in texts if text.get_text()}


def words(figure):
    return {text.get_text() for text in letters(figure)}


def at_moment(story, moment):
    figure = draw_stage(story, WORDS["heading"], WORDS["layer"])
    draw_moment(figure, story, moment)
    return figure


def assert_tidy(figure):
    places = list(letters(figure).values())
    whole = figure.get_tightbbox(figure.canvas.get_renderer())
    assert whole.x0 >= 0 and whole.y0 >= 0
    assert whole.x1 <= figure.get_figwidth() and whole.y1 <= figure.get_figheight()
    for k, a in enumerate(places):
        for b in places[:k]:
            both = Bbox.intersection(a, b)
            assert both is None or both.width <= 1 or both.height <= 1


def count(picture, colour):
    """Pixels of just this colour."""
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.asarray(picture) == rgb).all(-1).sum())


def test_the_rival_is_the_highest_other_channel_at_the_end():
    means = np.array([[9.0, 0, 0, 0], [0, 5, 2, 2]])
    assert rival(means, 1) == 2
    assert rival(means, 2) == 1
    assert rival(np.array([[0.0, np.nan, np.inf, -1]]), 0) == 3


def test_there_may_be_no_rival():
    assert rival(np.ones((3, 1)), 0) is None
    assert rival(np.array([[1.0, np.nan]]), 0) is None


def test_the_numbers_given_stay_as_they_are():
    means = np.array([[1.0, np.inf, 2], [np.nan, 1, 2]])
    before = means.copy()
    rival(means, 0)
    draw_trajectory([0, 1], means, channel=0, **WORDS)
    np.testing.assert_array_equal(means, before)


@pytest.mark.parametrize("channels", [4, 2048])
def test_driven_and_rival_are_seen_and_named(channels):
    steps, means = made(20, channels, driven=3, second=0)
    figure = draw_trajectory(steps, means, channel=3, **WORDS)
    assert_tidy(figure)
    assert {"channel 3", "driven", "channel 0", "nearest rival", "at step 76", "3", "0"} <= words(figure)
    assert "mean activation of every channel of conv1" in words(figure)
    picture = render(figure, 100)
    assert count(picture, DRIVEN) > 100 and count(picture, RIVAL) > 100


@pytest.mark.parametrize("name", ["W" * 40, "encoder.layers.encoder_layer_11.mlp.0.x 層 $a_1$"])
@pytest.mark.parametrize(
    ("driven", "second"),
    [
        (0, 1),
        (511, 510),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((1, 0), (510, 511), (256, 255), (0, 511))),
    ],
)
def test_names_do_not_meet(name, driven, second):
    steps, means = made(5, 512, driven, second)
    means[:, second] = means[:, driven] * 0.98
    assert_tidy(draw_trajectory(steps, means, channel=driven, layer=name, heading=Heading(name, name)))


@pytest.mark.parametrize(
    "means",
    [
        np.ones((1, 4)),
        np.full((3, 4), np.nan),
        np.array([[1.0, np.nan, np.inf, 3], [-np.inf, 2, 1e300, 4]]),
        np.float32([[-3e38, 1, 2], [3e38, 2, 1]]),
        *(
            pytest.param(means, marks=pytest.mark.slow)
            for means in (
                np.zeros((3, 4)),
                np.full((3, 4), 7e9),
                np.full((3, 4), -1e-9),
                np.array([[1.0], [2.0]]),
                np.array([[-5.0, -1, -2], [-4, -3, -2]]),
            )
        ),
    ],
)
def test_any_numbers_are_drawn(means):
    figure = draw_trajectory(np.arange(len(means)), means, channel=0, **WORDS)
    assert_tidy(figure)
    frames = trajectory_frames(np.arange(len(means)), means, channel=0, **WORDS)
    assert len(frames) == len(means)


def test_gaps_stay_gaps():
    steps, means = made(9, 4)
    means[3:6] = np.nan
    figure = at_moment(story_of(steps, means, 1), 4)
    bars = figure.axes[1]
    assert not [line for line in bars.lines if line.get_color() == DRIVEN]
    assert "1" not in {text.get_text() for text in bars.texts}


def test_bars_are_the_moment():
    steps, means = made(10, 6)
    bars = at_moment(story_of(steps, means, 1), 4).axes[1]
    tips = {}
    for line in bars.lines:
        for x, y in zip(*line.get_data(), strict=True):
            if isinstance(y, float) and y > 0 and float(x).is_integer():
                tips[int(x)] = y
    assert tips == pytest.approx(dict(enumerate(means[4])))


def test_limits_are_kept_and_nothing_leaves_them():
    steps, means = made(10, 6)
    figure = at_moment(replace(story_of(steps, means, 1), limits=(0, 1)), 9)
    assert [axes.get_ylim() for axes in figure.axes] == [(0, 1)] * 2
    assert_tidy(figure)


def test_frames_share_one_size_and_axes_and_end_as_the_still_picture():
    steps, means = made(6, 16)
    frames = trajectory_frames(steps, means, channel=1, **WORDS)
    story = story_of(steps, means, 1)
    assert len(frames) == 6
    assert len({frame.size for frame in frames}) == 1
    for moment, frame in enumerate(frames):
        still = render(at_moment(story, moment), FRAME_DPI)
        assert np.abs(np.asarray(frame, int) - np.asarray(still, int)).mean() < 0.2
    bars = [count(frame.crop((frame.width * 6 // 10, 0, *frame.size)), DRIVEN) for frame in frames]
    assert all(a < b for a, b in pairwise(bars[1:]))


def test_the_same_numbers_give_the_same_picture():
    steps, means = made(5, 64)
    first, second = (render(draw_trajectory(steps, means, channel=1, **WORDS), 100).tobytes() for _ in range(2))
    assert first == second


@given(st.lists(st.floats(-1, 3), min_size=1, max_size=2), st.floats(0.1, 0.5))
def test_blocks_are_kept_apart_and_beside_the_plot(starts, tall):
    places = apart(starts, tall)
    assert all(place >= -1e-9 and place + tall <= HEIGHT + 1e-9 for place in places)
    for one, other in pairwise(sorted(places)):
        assert other - one >= tall + BETWEEN - 1e-9
    assert places == sorted(places) or starts != sorted(starts)
