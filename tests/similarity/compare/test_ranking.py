"""The k best of a row against sorted(): ties, NaN, infinities, both signs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.similarity.compare.ranking import best

INF = math.inf


def slow(row: list[float], k: int, sign: int) -> list[tuple[float, int]]:
    """Candidates best first, ties by column; what is not a number, or is worse than any, is none."""
    candidates = [(score, column) for column, score in enumerate(row) if score == score and score != -sign * INF]
    return sorted(candidates, key=lambda pair: (-sign * pair[0], pair[1]))[:k]


def check(rows: list[list[float]], k: int, sign: int) -> None:
    tile = torch.tensor(rows, dtype=torch.float32)
    before = tile.clone()
    ranked = best(tile, k, sign)
    assert torch.equal(tile.nan_to_num(7.5), before.nan_to_num(7.5)), "the tile is left as it was"
    width = min(k, len(rows[0]))
    assert ranked.scores.shape == ranked.columns.shape == (len(rows), width)
    for number, row in enumerate(tile.tolist()):
        wanted = slow(row, k, sign)
        scores, columns = ranked.scores[number].tolist(), ranked.columns[number].tolist()
        assert columns == [column for _, column in wanted] + [-1] * (width - len(wanted))
        assert scores[: len(wanted)] == [score for score, _ in wanted]
        assert all(math.isnan(score) for score in scores[len(wanted) :])


FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, math.nan, INF, -INF])  # hence many ties


@settings(deadline=None, max_examples=200)
@given(
    rows=st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(FEW, min_size=n, max_size=n), min_size=1, max_size=6)),
    k=st.integers(1, 15),
    sign=st.sampled_from([1, -1]),
)
def test_best_is_what_sorting_gives(rows, k, sign) -> None:
    check(rows, k, sign)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("levels", [1, 3, 40])
def test_many_columns_and_few_levels(levels: int, sign: int) -> None:
    """Wide enough that topk takes ties in no particular order."""
    random = np.random.default_rng(levels)
    rows = random.integers(0, levels, (8, 3000)).astype(np.float32)
    rows[random.random(rows.shape) < 0.2] = np.nan
    check(rows.tolist(), 20, sign)


@pytest.mark.parametrize("sign", [1, -1])
def test_rows_with_nothing_in_them(sign: int) -> None:
    nothing = [[math.nan] * 4, [-sign * INF] * 4, [math.nan, 1.0, math.nan, 1.0], [sign * INF] * 4]
    check(nothing, 3, sign)
    check(nothing, 9, sign)


def test_largest_floats_are_candidates() -> None:
    most = float(np.finfo(np.float32).max)
    check([[most, -most, 0.0, math.nan, INF, -INF]], 4, 1)
    check([[most, -most, 0.0, math.nan, INF, -INF]], 4, -1)


def test_no_columns_at_all() -> None:
    ranked = best(torch.zeros(3, 0), 5)
    assert ranked.scores.shape == ranked.columns.shape == (3, 0)
