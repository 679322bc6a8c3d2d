"""Layouts: planted groups stand apart, the same seed draws the same plane,
and odd inputs have a place each.
"""

import numpy as np
import pytest

from atlas.similarity.tables.plane import layout


def planted(n, groups, k=20, seed=0):
    """Exact nearest neighbors and Pearson r of profiles around the middles of groups; and the group of each."""
    rng = np.random.default_rng(seed)
    group = rng.integers(groups, size=n)
    profiles = rng.standard_normal((groups, 24))[group] + 0.5 * rng.standard_normal((n, 24))
    r = np.atleast_2d(np.corrcoef(profiles))
    np.fill_diagonal(r, -2)
    neighbors = np.argsort(-r, axis=1)[:, : min(k, n - 1)]
    return neighbors, np.take_along_axis(r, neighbors, axis=1), group


def nearest(points, k):
    away = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(away, np.inf)
    return np.argsort(away, axis=1)[:, :k]


@pytest.fixture(scope="module")
def example():
    return planted(200, 6)


def test_neighbors_in_the_plane_come_from_the_same_group(example):
    neighbors, scores, group = example
    points = layout(neighbors, scores)
    assert (group[nearest(points, 5)] == group[:, None]).mean() > 0.98


def test_points_lie_in_the_unit_square_and_fill_its_longer_side(example):
    points = layout(*example[:2])
    assert points.dtype == np.float32 and points.shape == (200, 2)
    assert points.min() >= 0 and points.max() <= 1
    assert np.ptp(points, axis=0).max() == pytest.approx(1)
    assert points.min(0) + points.max(0) == pytest.approx([1, 1], abs=1e-5)


def test_a_seed_draws_one_plane(example):
    neighbors, scores, _ = example
    assert np.array_equal(layout(neighbors, scores, seed=3), layout(neighbors, scores, seed=3))


def test_a_start_keeps_its_sides(example):
    neighbors, scores, group = example
    start = np.stack([group * 100.0, np.zeros(len(group))], axis=1)
    points = layout(neighbors, scores, start)
    middles = np.array([points[group == k, 0].mean() for k in range(6)])
    assert middles[5] > middles[0]
    assert np.array_equal(start[:, 1], np.zeros(len(group)))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 9, 30])
def test_few_features_have_a_place_each(n):
    points = layout(*planted(n, 2)[:2])
    assert points.shape == (n, 2) and np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == n


def test_features_with_few_or_no_neighbors_break_nothing(example):
    neighbors, scores, group = (part.copy() for part in example)
    neighbors[:20, 3:], scores[:20, 3:] = -1, np.nan
    neighbors[20:25], scores[20:25] = -1, np.nan
    points = layout(neighbors, scores)
    assert np.isfinite(points).all()
    whole = np.arange(25, 200)
    same = group[nearest(points, 5)][whole] == group[whole, None]
    assert same.mean() > 0.95


def test_no_neighbors_at_all():
    points = layout(np.full((12, 4), -1), np.full((12, 4), np.nan))
    assert np.isfinite(points).all()
