"""Which labels of pictures a feature tells from the rest: its AUC for each label, and how often chance does as well.

All of it comes from ranks, so what chance does depends on the labels' sizes and on a feature's ties alone:
features without ties, or with the same ones, share it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy.sparse import csr_array
from scipy.stats import rankdata

DRAWS = 1999  # random labellings: p comes in steps of 1/2000, and one of 0.01 is right to 0.002
NUMBERS_AT_ONCE = 1 << 22  # of one array in memory: 32 MiB


@dataclass(frozen=True)
class Labels:
    """The labels of some pictures of a probe; a picture without a label is left out of all that follows."""

    names: tuple[str, ...]  # sorted
    pictures: Int[np.ndarray, "m"]  # numbers in the probe of those that have a label
    codes: Int[np.ndarray, "m"]  # of their labels: places in `names`

    @classmethod
    def of(cls, labels: Sequence[str | None]) -> "Labels":
        """Those of all pictures of a probe."""
        names = sorted({label for label in labels if label is not None})
        codes = {name: code for code, name in enumerate(names)}
        pictures = [number for number, label in enumerate(labels) if label is not None]
        return cls(tuple(names), np.array(pictures, int), np.array([codes[str(labels[n])] for n in pictures], int))

    @property
    def are_several(self) -> bool:
        """Whether there is a label and a rest."""
        return len(self.names) > 1

    @cached_property
    def sizes(self) -> Int[np.ndarray, "l"]:
        """How many pictures have each label."""
        return np.bincount(self.codes, minlength=len(self.names))

    @cached_property
    def pairs(self) -> Int[np.ndarray, "l"]:
        """How many pairs there are of a picture with the label and one without."""
        return self.sizes * (len(self.codes) - self.sizes)


class LabelTests(NamedTuple):
    """What is known of each feature and label."""

    # share of the pairs (with the label, without) that are in that order; a tie is half
    auc: Float64[np.ndarray, "c l"]
    p: Float64[np.ndarray, "c l"]  # that chance does as well for this label or any that is less sure
    surest: Int[np.ndarray, "c"]  # the label of the lowest p


def measure_labels(values: Float32[np.ndarray, "n c"], labels: Labels, seed: int = 0) -> LabelTests:
    """Test every feature for every label against the rest, one-sided: do pictures with the label drive it more?

    values: responses of c features to the n pictures of the probe, all finite. labels: several.

    p is by permutation: the labels are given to the pictures at random, DRAWS times. It holds for all labels at once by
    Westfall and Young's (1993, algorithm 2.8) step-down, which is Holm's with the joint distribution of the labels in
    the place of Bonferroni's bound: the surest label is compared with the surest of all in each draw, the next with the
    surest of the others, and so on. So p of the surest label is uniform where labels mean nothing, whatever the ties
    and sizes. How sure a label is: its rank sum in deviations of chance.
    """
    ranks = rankdata(values[labels.pictures].astype(np.float64), axis=0) - (len(labels.pictures) + 1) / 2
    sums = _label_sums(ranks, labels)
    observed = sums / np.sqrt(labels.pairs)
    order = np.argsort(-observed, axis=1, kind="stable")
    patterns, pattern_of = _tie_patterns(ranks)
    beaten = np.zeros(observed.shape, int)
    for chosen, draws in _chance(patterns, labels, seed):
        for feature in np.flatnonzero(np.isin(pattern_of, chosen)):
            null = draws[:, :, np.searchsorted(chosen, pattern_of[feature])]
            beaten[feature] += _as_good(null[:, order[feature]], observed[feature, order[feature]])
    p = np.empty(observed.shape)
    np.put_along_axis(p, order, np.maximum.accumulate((1 + beaten) / (1 + DRAWS), axis=1), axis=1)
    return LabelTests(0.5 + sums / labels.pairs, p, order[:, 0])


def _label_sums(ranks: Float64[np.ndarray, "m c"], labels: Labels) -> Float64[np.ndarray, "c l"]:
    ones = np.ones(len(labels.codes))
    members = csr_array((ones, (labels.codes, np.arange(len(ones)))), shape=(len(labels.names), len(ones)))
    return (members @ ranks).T


def _tie_patterns(ranks: Float64[np.ndarray, "m c"]) -> tuple[Float64[np.ndarray, "m u"], Int[np.ndarray, "c"]]:
    """The different columns of sorted ranks, and which of them each feature has: they differ only in their ties."""
    numbers: dict[bytes, int] = {}
    columns: list[np.ndarray] = []
    pattern_of = np.empty(ranks.shape[1], int)
    for feature, column in enumerate(np.sort(ranks, axis=0).T):
        number = numbers.setdefault(column.tobytes(), len(columns))
        if number == len(columns):
            columns.append(column)
        pattern_of[feature] = number
    return np.stack(columns, axis=1), pattern_of


def _chance(
    patterns: Float64[np.ndarray, "m u"], labels: Labels, seed: int
) -> Iterator[tuple[Int[np.ndarray, "v"], Float64[np.ndarray, "d l v"]]]:
    """How sure each label is where labels are given at random: some draws of some patterns, until all had DRAWS."""
    rng, (m, u) = np.random.default_rng(seed), patterns.shape
    count = max(1, min(DRAWS, NUMBERS_AT_ONCE // m))
    width = max(1, NUMBERS_AT_ONCE // (count * len(labels.names)))
    scale = np.sqrt(labels.pairs)[:, None]
    for first in range(0, DRAWS, count):
        draws = min(count, DRAWS - first)
        shuffled = rng.permuted(np.tile(np.arange(m, dtype=np.int32), (draws, 1)), axis=1)
        ends = (np.arange(draws)[:, None] * m + np.cumsum(labels.sizes)).ravel()
        rows = csr_array((np.ones(draws * m), shuffled.ravel(), np.concatenate([[0], ends])), shape=(len(ends), m))
        for start in range(0, u, width):
            chosen = np.arange(start, min(u, start + width))
            yield chosen, (rows @ patterns[:, chosen]).reshape(draws, len(labels.names), len(chosen)) / scale


def _as_good(draws: Float64[np.ndarray, "d l"], observed: Float64[np.ndarray, "l"]) -> Int[np.ndarray, "l"]:
    """In how many draws this label or one after it is as sure as observed; labels: the surest first."""
    best = np.maximum.accumulate(draws[:, ::-1], axis=1)[:, ::-1]
    reached: Bool[np.ndarray, "d l"] = best >= observed
    return reached.sum(0)
