"""Clustered orders and families: planted blocks come back, noise has none,
and the order of the input changes nothing.
"""

from itertools import permutations

import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from atlas.similarity.tables.families import cluster


def planted(sizes, seed=0, noise=0.5):
    """Blocks of similarity 4 in noise, features mixed; and the block of each."""
    rng = np.random.default_rng(seed)
    block = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    extra = noise * rng.standard_normal((len(block), len(block)))
    return 4.0 * (block[:, None] == block) + extra + extra.T, block


def partition(order, families):
    return {frozenset(order[families == k].tolist()) for k in np.unique(families)}


@pytest.mark.parametrize("sizes", [(8, 8), (5, 9, 30), (20,) * 10, (60, 40, 30, 20, 100, 50)])
def test_planted_blocks_are_the_families(sizes):
    similarity, block = planted(sizes)
    order, families = cluster(similarity)
    assert partition(order, families) == {frozenset(np.flatnonzero(block == k).tolist()) for k in range(len(sizes))}


@pytest.mark.parametrize("outlier", [0, 500])
def test_one_pair_of_twins_hides_no_family(outlier):
    similarity, block = planted((16, 16, 16))
    a, b = np.flatnonzero(block == 1)[:2]
    similarity[a, b] = similarity[b, a] = 4 + outlier
    assert cluster(similarity).families.max() == 2


@pytest.mark.parametrize("n", [1, 2, 3, 5, 40])
def test_alike_or_few_features_are_one_family(n):
    order, families = cluster(np.ones((n, n)))
    assert sorted(order) == list(range(n)) and not families.any()


@pytest.mark.parametrize("n", [128, 300])
def test_noise_is_one_family(n):
    similarity, _ = planted((n,), seed=3)
    assert not cluster(similarity).families.any()


def test_families_are_numbered_along_the_order_and_the_diagonal_is_not_read():
    similarity, _ = planted((12, 7, 20))
    order, families = cluster(similarity)
    assert families[0] == 0 and set(np.diff(families)) == {0, 1}
    np.fill_diagonal(similarity, 1e6)
    again = cluster(similarity)
    assert np.array_equal(again.order, order) and np.array_equal(again.families, families)


def test_features_in_another_order_cluster_alike():
    similarity, _ = planted((12, 7, 20))
    mixed = np.random.default_rng(1).permutation(len(similarity))
    order, families = cluster(similarity)
    other = cluster(similarity[np.ix_(mixed, mixed)])
    assert np.array_equal(mixed[other.order], order) and np.array_equal(other.families, families)


def neighborly(similarity, order):
    return similarity[order[:-1], order[1:]].sum()


def test_neighbors_in_the_order_are_more_alike_than_in_a_plain_tree():
    similarity, _ = planted((10, 14, 9))
    distances = squareform(similarity.max() + 1 - similarity, checks=False)
    assert neighborly(similarity, cluster(similarity).order) >= neighborly(
        similarity, leaves_list(linkage(distances, "average"))
    )


def test_few_leaves_stand_in_the_best_order_that_the_tree_allows():
    similarity, _ = planted((3, 3), seed=5)
    order, place = cluster(similarity).order, np.arange(6)
    tree = linkage(squareform(similarity.max() + 1 - similarity, checks=False), "average")
    groups = [{k} for k in place]
    for left, right in tree[:, :2].astype(int):
        groups.append(groups[left] | groups[right])
    allowed = [
        list(way)
        for way in permutations(place)
        if all(np.ptp([way.index(k) for k in group]) == len(group) - 1 for group in groups)
    ]
    best = max(neighborly(similarity, np.array(way)) for way in allowed)
    assert neighborly(similarity, order) == pytest.approx(best)
