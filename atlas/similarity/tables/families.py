"""From a layer's similarity matrix to an order in which similar features are neighbors, and to families of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

Matrix = NDArray[np.floating]  # (n, n)
Places = NDArray[np.intp]  # (n,)
OPTIMAL = 1024  # features: above, the best order of the leaves takes too long
MOST = 24  # families that can still be told apart on a map
PART = 64  # a family is at least two, and this part of the layer: less cannot be seen on a map
DRAWS = 4  # of similarities at random places; their silhouettes vary by 0.04 at 64 features, by less above
MARGIN = 0.1  # of the mean silhouette, from -1 to 1: one in ten noises of up to 64 features gains more, hardly any larger one
TOLERANCE = 0.02  # silhouettes so near are equally good


class Clustering(NamedTuple):
    order: NDArray[np.intp]  # (n,) features, similar ones next to each other
    families: NDArray[np.intp]  # (n,) of the feature at each place of the order; numbered from 0 in that order


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
    tree = linkage(distances, "average", optimal_ordering=n <= OPTIMAL)
    order = _turned(leaves_list(tree).astype(np.intp), distances)
    return Clustering(order, _families(tree, order, distances))


def _distances(similarity: Matrix) -> Matrix:
    """Largest similarity less each one, condensed: (n(n−1)/2,)."""
    above = squareform(similarity.astype(np.float64), checks=False)
    return above.max() - above


def _turned(order: Places, distances: Matrix) -> Places:
    away = squareform(distances).sum(1)
    return order[::-1].copy() if away[order[0]] > away[order[-1]] else order


def _families(tree: Matrix, order: Places, distances: Matrix) -> Places:
    """The family at each place, (n,): of the cuts that beat chance by about the most, the finest."""
    ranks, cuts = rankdata(distances), _cuts(tree, order)
    gains = _silhouettes(ranks, order, cuts) - _chance(distances, ranks, len(cuts))
    if not cuts or gains.max() < MARGIN:
        return np.zeros(len(order), np.intp)
    return cuts[int(np.flatnonzero(gains >= gains.max() - TOLERANCE)[-1])]


def _chance(distances: Matrix, ranks: Matrix, count: int) -> Matrix:
    """Mean silhouettes of the first `count` cuts, (count,), of trees of the same distances at random places."""
    rng, sums, seen = np.random.default_rng(0), np.zeros(count), np.zeros(count)
    for _ in range(DRAWS):
        mixed = rng.permutation(len(distances))
        tree = linkage(distances[mixed], "average")
        order = leaves_list(tree).astype(np.intp)
        lucky = _silhouettes(ranks[mixed], order, _cuts(tree, order)[:count])
        sums[: len(lucky)] += lucky
        seen[: len(lucky)] += 1
    return sums / np.maximum(seen, 1)


def _cuts(tree: Matrix, order: Places) -> list[Places]:
    """The families at the places, (n,), for the highest break alone, the highest two, and so on."""
    n, smallest = len(order), max(2, len(order) // PART)
    first, size = np.concatenate([np.argsort(order), np.zeros(n - 1, np.intp)]), np.ones(2 * n - 1, np.intp)
    breaks = []
    for node, (left, right) in enumerate(tree[:, :2].astype(np.intp), start=n):
        first[node], size[node] = min(first[left], first[right]), size[left] + size[right]
        if min(size[left], size[right]) >= smallest:
            breaks.append(max(first[left], first[right]))
    highest = breaks[::-1][: min(MOST, n // 3) - 1]
    return [np.searchsorted(np.sort(highest[:k]), np.arange(n), side="right") for k in range(1, len(highest) + 1)]


def _silhouettes(distances: Matrix, order: Places, cuts: list[Places]) -> Matrix:
    square = squareform(distances)[np.ix_(order, order)]
    return np.array([_silhouette(square, families) for families in cuts])


def _silhouette(square: Matrix, families: Places) -> float:
    """Mean over the features; every family has at least two."""
    members = np.eye(families.max() + 1)[families]  # (n, families)
    sizes, sums = members.sum(0), square @ members
    inside = (sums * members).sum(1) / (sizes[families] - 1)
    outside = np.where(members > 0, np.inf, sums / sizes).min(1)
    return float(((outside - inside) / np.maximum(inside, outside)).mean())
