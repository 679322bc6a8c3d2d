"""Moments of channels against obvious float64 loops, at offsets where float32 sums would be lost."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.similarity.compare.statistics import CHANNELS_AT_ONCE, live, moments, standardised, weights_of, without


def leaving(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """own[i]: the channel that picture i is left out of; -1: of none."""
    return np.flatnonzero(own >= 0), own[own >= 0]


def slow(values: np.ndarray, weight: np.ndarray, kept: np.ndarray) -> tuple[float, float]:
    """Weighted mean and deviation of one channel, over the pictures that are kept."""
    total = math.fsum(weight[kept])
    if total < 1e-12:
        return math.nan, math.nan
    mean = math.fsum(float(w) * float(v) for w, v in zip(weight[kept], values[kept], strict=True)) / total
    square = math.fsum(float(w) * (float(v) - mean) ** 2 for w, v in zip(weight[kept], values[kept], strict=True))
    return mean, math.sqrt(square / total)


def draw(seed: int, n: int, c: int, offset: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    values = (offset + spread * random.normal(size=(n, c))).astype(np.float32)
    return values, weights_of(random.integers(0, 4, n))


WHERE = pytest.mark.parametrize(("offset", "spread"), [(0.0, 1.0), (1e4, 1e-2), (-1e4, 3.0), (1e-20, 1e-21)])


@WHERE
def test_moments_are_those_of_a_loop_in_float64(offset: float, spread: float) -> None:
    values, weight = draw(0, 60, 9, offset, spread)
    whole = moments(values, weight)
    everything = np.ones(60, bool)
    for channel in range(9):
        mean, sd = slow(values[:, channel], weight, everything)
        assert whole.mean[channel] == pytest.approx(mean, rel=1e-12)
        assert whole.sd[channel] == pytest.approx(sd, rel=1e-7)


def test_more_channels_than_are_worked_on_at_once() -> None:
    values, weight = draw(1, 12, CHANNELS_AT_ONCE + 7, 5.0, 1.0)
    whole = moments(values, weight)
    alone = moments(values[:, CHANNELS_AT_ONCE:], weight)
    assert np.array_equal(whole.mean[CHANNELS_AT_ONCE:], alone.mean)
    assert np.array_equal(whole.sd[CHANNELS_AT_ONCE:], alone.sd)
    rows = standardised(values, weight, whole, live(values, whole))
    assert np.array_equal(
        rows[CHANNELS_AT_ONCE:], standardised(values[:, CHANNELS_AT_ONCE:], weight, alone, np.ones(7, bool))
    )


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    own=st.lists(st.integers(-1, 4), min_size=2, max_size=30),
    where=st.sampled_from([(0.0, 1.0), (1e4, 1e-2), (300.0, 40.0)]),
)
def test_without_leaves_out_every_picture_of_the_channel_and_no_other(seed, own, where) -> None:
    """Several of a channel, none of it, or all there are."""
    values, weight = draw(seed, len(own), 5, *where)
    made_for = np.array(own)
    others = without(values, weight, leaving(made_for), everything=moments(values, weight))
    for channel in range(5):
        mean, sd = slow(values[:, channel], weight, made_for != channel)
        assert others.mean[channel] == pytest.approx(mean, rel=1e-9, abs=1e-9, nan_ok=True)
        sd = sd if sd > 1e-6 * where[1] else math.nan  # one picture is left, or several that are alike
        assert others.sd[channel] == pytest.approx(sd, rel=1e-4, abs=1e-6 * where[1], nan_ok=True)


def test_a_channel_that_owns_every_picture_has_no_moments_left() -> None:
    values, weight = draw(2, 6, 3, 0.0, 1.0)
    others = without(values, weight, leaving(np.full(6, 1)), everything=moments(values, weight))
    assert np.isnan(others.mean).tolist() == np.isnan(others.sd).tolist() == [False, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_what_varies_on_its_own_picture_alone_has_no_deviation_left(seed: int) -> None:
    """A sparse channel, silent but on its own image: 0 by rounding is not 0, and 1/0 would be everyone's neighbor."""
    random = np.random.default_rng(seed)
    values = np.full((37, 3), np.float32(random.choice([0.0, 7.25, 1e3])))
    values[5] += random.lognormal(0, 4, 3).astype(np.float32)
    weight = weights_of(random.integers(0, 3, 37))
    own = np.full(37, -1)
    own[5] = 1
    others = without(values, weight, leaving(own), everything=moments(values, weight))
    assert np.isnan(others.sd).tolist() == [False, True, False]
    assert others.mean[1] == pytest.approx(values[0, 1], abs=1e-12 * float(values[5, 1]))


def test_one_loud_own_picture_does_not_drown_what_is_left() -> None:
    """An image that drives its channel a thousand deviations up: what is left is known to 1e-4 of its deviation."""
    values, weight = draw(3, 400, 1, 0.0, 1.0)
    values[17] = 1e3
    own = np.full(400, -1)
    own[17] = 0
    others = without(values, weight, leaving(own), everything=moments(values, weight))
    mean, sd = slow(values[:, 0], weight, own != 0)
    assert (others.mean[0], others.sd[0]) == (pytest.approx(mean, abs=1e-9), pytest.approx(sd, rel=1e-4))


def test_live_is_what_varies_and_is_finite() -> None:
    values, weight = draw(4, 20, 8, 0.0, 1.0)
    values[:, 0] = 0.0
    values[:, 1] = 17.25
    values[:, 2] = 17.25 + 1e-6 * (np.arange(20) % 2)  # one step of float32
    values[3, 3], values[4, 4], values[5, 5] = np.inf, -np.inf, np.nan
    values[:, 6] = 1e-30 * values[:, 6]  # small, but it varies
    assert live(values, moments(values, weight)).tolist() == [False] * 6 + [True] * 2


def test_a_quiet_channel_with_a_large_offset_is_live() -> None:
    values, weight = draw(5, 200, 1, 1e4, 0.05)
    assert live(values, moments(values, weight)).all()


@given(st.lists(st.integers(-3, 5), min_size=1, max_size=40))
def test_every_source_weighs_the_same(source: list[int]) -> None:
    weight, source = weights_of(np.array(source)), np.array(source)
    assert weight.sum() == pytest.approx(1.0)
    for name in set(source.tolist()):
        assert weight[source == name].sum() == pytest.approx(1 / len(set(source.tolist())))
        assert len(set(weight[source == name].tolist())) == 1


@pytest.mark.parametrize(("offset", "spread"), [(0.0, 1.0), (1e4, 2e-2), (-1e4, 3.0), (1e-20, 1e-21)])
def test_products_of_standardised_rows_are_pearsons_r(offset: float, spread: float) -> None:
    values, weight = draw(6, 80, 6, offset, spread)
    values[:, 2], values[0, 4] = 3.0, np.nan
    whole = moments(values, weight)
    alive = live(values, whole)
    rows = standardised(values, weight, whole, alive)
    assert rows.dtype == np.float32
    assert not rows[[2, 4]].any()
    for a in (0, 1, 3, 5):
        for b in (0, 1, 3, 5):
            x, y = values[:, a].astype(np.float64), values[:, b].astype(np.float64)
            x, y = x - (weight * x).sum(), y - (weight * y).sum()
            r = (weight * x * y).sum() / math.sqrt((weight * x * x).sum() * (weight * y * y).sum())
            assert float(rows[a] @ rows[b]) == pytest.approx(r, abs=2e-6)
