"""Lays the features of a model out on a plane, by t-SNE of their exact nearest neighbors:
similar ones stand together.

Distances between far groups, and the sizes of groups, mean nothing in t-SNE; who stands next to whom does.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array
from threadpoolctl import threadpool_limits

Points = NDArray[np.floating]  # (n, 2)
PERPLEXITY = 30.0  # van der Maaten & Hinton 2008: 5 to 50
FEWEST_FEATURES = 8  # below, t-SNE has too few neighbors to weigh, and the start is the layout
THOROUGH_UP_TO = 10_000  # features
# iterations, angle: the quick ones keep 41 % of the ten nearest neighbors at 30,000 features, the thorough ones 44 %
THOROUGH, QUICK = (1000, 0.5), (500, 0.8)
START_DEVIATION = 1e-4  # of the first axis (Kobak & Berens 2019)
START_NOISE = 1e-2  # of that deviation: features that start at one point would never part
STRANGER = 1e-3  # similarity, from 0 for r = −1 to 2 for r = 1, of a feature that is no neighbor


def layout(neighbors: NDArray[np.integer], scores: Points, start: Points | None = None, seed: int = 0) -> Points:
    """Lay out n features on a plane, from the k nearest neighbors of each.

    neighbors: (n, k) numbers of other features, padded with −1; scores: (n, k) Pearson r; start: (n, 2), or None for
    a spectral one. Returns (n, 2) float32 in [0, 1], aspect kept, the shorter axis centred. The same for the same seed.
    """
    graph = _graph(neighbors, scores)
    if start is None:
        start = _spectral(graph, seed)
    if len(start) < FEWEST_FEATURES:
        return _fitted(start)
    perplexity = max(1.0, min(PERPLEXITY, (neighbors.shape[1] - 1) / 3))
    near = _distances(_filled(graph, min(len(start) - 1, int(3 * perplexity + 1)), seed))
    return _fitted(_tsne(near, _small(start, seed), perplexity, seed))


def _graph(neighbors: NDArray[np.integer], scores: Points) -> csr_array:
    """Similarities 1 + r, symmetric: an edge wherever either of two features names the other."""
    n = len(neighbors)
    row, rank = np.nonzero((neighbors >= 0) & (neighbors != np.arange(n)[:, None]))
    weights = 1 + np.clip(scores[row, rank].astype(np.float64), -1, 1) + STRANGER  # 0 would be no edge
    graph = coo_array((weights, (row, neighbors[row, rank])), shape=(n, n)).tocsr()
    return csr_array(graph.maximum(graph.T))


def _filled(graph: csr_array, count: int, seed: int) -> csr_array:
    """At least `count` neighbors for each, as t-SNE asks: strangers chosen at random, all equally far, for those short."""
    degrees = np.diff(graph.indptr)
    n, short = len(degrees), np.flatnonzero(degrees < count)
    steps = 1 + np.random.default_rng(seed).permutation(n - 1)[:count]
    rows = np.repeat(short, count)
    columns = (rows + np.tile(steps, len(short))) % n
    strangers = coo_array((np.full(len(rows), STRANGER), (rows, columns)), shape=(n, n)).tocsr()
    return csr_array(graph.maximum(strangers))


def _distances(graph: csr_array) -> csr_array:
    """Euclidean distances √(2(1 − r)) of standardised profiles; each feature's own 0 is stored, as scikit-learn asks."""
    # Here, as elsewhere below: sklearn takes a second to import, and most runs write no plane.
    from sklearn.neighbors import sort_graph_by_row_values

    coo, own = graph.tocoo(), np.arange(len(graph.indptr) - 1)
    away = np.sqrt(np.maximum(2 * (2 + STRANGER - coo.data), 0))
    row, column = (np.concatenate([own, side]) for side in coo.coords)
    whole = csr_array((np.concatenate([np.zeros(len(own)), away]), (row, column)), shape=(len(own), len(own)))
    return csr_array(sort_graph_by_row_values(whole, warn_when_not_sorted=False))


def _spectral(graph: csr_array, seed: int) -> Points:
    """The second and third eigenvectors of the normalised graph (Laplacian eigenmaps, Belkin & Niyogi 2003)."""
    from sklearn.utils.extmath import randomized_svd

    sums = graph.sum(1)
    n = len(sums)
    if n < 3:
        return np.stack([np.arange(float(n)), np.zeros(n)], axis=1)
    scale = diags_array(1 / np.sqrt(np.maximum(sums, STRANGER)))
    lazy = scale @ graph @ scale + diags_array(np.ones(n))  # all eigenvalues positive: large ones are smooth ones
    vectors = randomized_svd(csr_array(lazy), 3, n_iter=20, random_state=seed)[0]
    return vectors[:, 1:]


def _small(start: Points, seed: int) -> Points:
    centred = start - start.mean(0)
    size = centred.std(0).max()
    if size > 0:
        centred = centred / size
    noise = np.random.default_rng(seed).standard_normal(start.shape)
    return (START_DEVIATION * (centred + START_NOISE * noise)).astype(np.float32)


def _tsne(near: csr_array, start: Points, perplexity: float, seed: int) -> Points:
    from sklearn.manifold import TSNE

    iterations, angle = QUICK if len(start) > THOROUGH_UP_TO else THOROUGH
    tsne = TSNE(
        perplexity=perplexity,
        metric="precomputed",
        init=start,
        random_state=seed,
        max_iter=iterations,
        angle=angle,
    )
    # Threads add up in any order: the last digits, and in time the layout, would vary.
    with threadpool_limits(1):
        return tsne.fit_transform(near)


def _fitted(points: Points) -> Points:
    low, high = points.min(0), points.max(0)
    extent = (high - low).max()
    return ((points - (low + high) / 2) / (extent if extent > 0 else 1) + 0.5).astype(np.float32)
