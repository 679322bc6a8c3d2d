"""Puts the features of a layer in an order in which similar ones are neighbors,
and breaks the order into families.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

Matrix = NDArray[np.floating]  # (n, n)
Positions = NDArray[np.intp]  # (n,)
ORDERED_OPTIMALLY = 1024  # features at most: above, the best order of the leaves takes too long
MOST_FAMILIES = 24  # that can still be told apart on a map
SMALLEST_PART = 64  # a family is at least two, and a 64th of the layer: less cannot be seen on a map
CHANCE_DRAWS = 4  # of similarities at random places; their silhouettes vary by 0.04 at 64 features, by less above
# Of the mean silhouette, from -1 to 1: one in ten noises of up to 64 features gains more, hardly any larger one.
LEAST_GAIN = 0.1
TOLERANCE = 0.02  # silhouettes so near are equally good


class Clustering(NamedTuple):
    """n features in their order, and the families that the order breaks into."""

    order: NDArray[np.intp]  # (n,) features, similar ones next to each other
    families: NDArray[np.intp]  # (n,) of the feature at each position of the order; numbered from 0 in that order


def cluster(similarity: Matrix) -> Clustering:
    """Order n features by average linkage, and break the order into families.

    similarity: (n, n), symmetric; its diagonal is not read. Leaves are ordered optimally (Bar-Joseph 2001) up to 1,024
    features; the end whose feature is more like all others comes first. Breaks stand where the tree parts two groups,
    highest first; a group too small to be a family stays with the features beside it, as in HDBSCAN's condensed tree
    (Campello 2013). As many breaks as exceed most, in mean silhouette (Rousseeuw 1987), the same similarities put at
    random places, as in the gap statistic (Tibshirani 2001): even the clusters of noise are tight, and a threshold
    would find families in every layer. Silhouettes are of the distances' ranks, since one pair of twins would squeeze
    all others together. Not much better than chance: one family.
    """
    n = len(similarity)
    if n < 3:
        return Clustering(np.arange(n), np.zeros(n, np.intp))
    distances = _distances(similarity)
    tree = linkage(distances, "average", optimal_ordering=n <= ORDERED_OPTIMALLY)
    order = _turned(leaves_list(tree).astype(np.intp), distances)
    return Clustering(order, _families(tree, order, distances))


def _distances(similarity: Matrix) -> Matrix:
    """Largest similarity less each one, condensed: (n(n−1)/2,)."""
    above = squareform(similarity.astype(np.float64), checks=False)
    return above.max() - above


def _turned(order: Positions, distances: Matrix) -> Positions:
    away = squareform(distances).sum(1)
    return order[::-1].copy() if away[order[0]] > away[order[-1]] else order


def _families(tree: Matrix, order: Positions, distances: Matrix) -> Positions:
    """The family at each position, (n,): of the cuts that beat chance by about the most, the finest."""
    ranks, cuts = rankdata(distances), _cuts(tree, order)
    gains = _silhouettes(ranks, order, cuts) - _chance(distances, ranks, len(cuts))
    if not cuts or gains.max() < LEAST_GAIN:
        return np.zeros(len(order), np.intp)
    return cuts[int(np.flatnonzero(gains >= gains.max() - TOLERANCE)[-1])]


def _chance(distances: Matrix, ranks: Matrix, count: int) -> Matrix:
    """Mean silhouettes of the first `count` cuts, (count,), of trees of the same distances at random places."""
    rng, sums, draws = np.random.default_rng(0), np.zeros(count), np.zeros(count)
    for _ in range(CHANCE_DRAWS):
        mixed = rng.permutation(len(distances))
        tree = linkage(distances[mixed], "average")
        order = leaves_list(tree).astype(np.intp)
        silhouettes = _silhouettes(ranks[mixed], order, _cuts(tree, order)[:count])
        sums[: len(silhouettes)] += silhouettes
        draws[: len(silhouettes)] += 1
    return sums / np.maximum(draws, 1)


def _cuts(tree: Matrix, order: Positions) -> list[Positions]:
    """The families at the positions, (n,), for the highest break alone, the highest two, and so on."""
    n, smallest = len(order), max(2, len(order) // SMALLEST_PART)
    first, size = np.concatenate([np.argsort(order), np.zeros(n - 1, np.intp)]), np.ones(2 * n - 1, np.intp)
    breaks = []
    for node, (left, right) in enumerate(tree[:, :2].astype(np.intp), start=n):
        first[node], size[node] = min(first[left], first[right]), size[left] + size[right]
        if min(size[left], size[right]) >= smallest:
            breaks.append(max(first[left], first[right]))
    highest = breaks[::-1][: min(MOST_FAMILIES, n // 3) - 1]
    return [np.searchsorted(np.sort(highest[:k]), np.arange(n), side="right") for k in range(1, len(highest) + 1)]


def _silhouettes(distances: Matrix, order: Positions, cuts: list[Positions]) -> Matrix:
    square = squareform(distances)[np.ix_(order, order)]
    return np.array([_silhouette(square, families) for families in cuts])


def _silhouette(square: Matrix, families: Positions) -> float:
    """Mean over the features; every family has at least two."""
    members = np.eye(families.max() + 1)[families]  # (n, families)
    sizes, sums = members.sum(0), square @ members
    inside = (sums * members).sum(1) / (sizes[families] - 1)
    outside = np.where(members > 0, np.inf, sums / sizes).min(1)
    return float(((outside - inside) / np.maximum(inside, outside)).mean())
