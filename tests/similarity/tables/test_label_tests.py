"""AUC and p of features and labels: as scipy has them, right for what was planted, and uniform where labels mean nothing."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest, mannwhitneyu

from atlas.similarity.tables.label_tests import DRAWS, Labels, measure_labels

SIZES = {"even": [40, 40, 40, 40], "uneven": [100, 40, 15, 5]}


def labels_of(sizes: list[int]) -> list[str]:
    return [f"l{code}" for code, size in enumerate(sizes) for _ in range(size)]


def noise(count: int, features: int, *, ties: bool, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, features))
    return (np.maximum(np.round(values, 1), 0) if ties else values).astype(np.float32)


@pytest.mark.parametrize("ties", [False, True])
def test_auc_is_that_of_scipys_rank_sum_test(ties: bool) -> None:
    values, names = noise(60, 5, ties=ties), labels_of([30, 20, 10])
    auc = measure_labels(values, Labels.of(names)).auc
    for code, label in enumerate(("l0", "l1", "l2")):
        inside = np.array(names) == label
        wanted = mannwhitneyu(values[inside], values[~inside]).statistic / (inside.sum() * (~inside).sum())
        assert auc[:, code] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5], [0, 0, 0, 1, 2], [5, 4, 0, 0, 3]])
def test_p_is_that_of_all_labellings(values: list[int]) -> None:
    """Step by step over all 120 orders of five pictures, the surest label against all, the next against the others."""
    column = np.array(values, np.float32)[:, None]
    names = ["a", "a", "b", "b", "c"]
    tests = measure_labels(column, Labels.of(names))

    ranks = np.array([sum(v < w for v in values) + (sum(v == w for v in values) - 1) / 2 for w in values]) - 2

    def surety(order: tuple[str, ...]) -> np.ndarray:
        members = [np.array(order) == label for label in "abc"]
        return np.array([ranks[inside].sum() / np.sqrt(inside.sum() * (5 - inside.sum())) for inside in members])

    observed = surety(tuple(names))
    draws = np.array([surety(order) for order in permutations(names)])
    left, lowest = list(np.argsort(-observed, kind="stable")), 0.0
    for label in list(left):
        lowest = max(lowest, float((draws[:, left].max(1) >= observed[label] - 1e-9).mean()))
        assert tests.p[0, label] == pytest.approx(lowest, abs=0.06), "draws, not all of them"
        left.remove(label)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_where_labels_mean_nothing_p_of_the_surest_is_uniform(sizes: list[int], ties: bool) -> None:
    p = measure_labels(noise(sum(sizes), 400, ties=ties), Labels.of(labels_of(sizes))).p.min(1)
    assert kstest(p, "uniform").pvalue > 0.01
    assert (p < 0.01).sum() <= 10, "four are expected of 400; more than 10 three times in 1,000"


def test_what_was_planted_is_found_and_nothing_else() -> None:
    names = labels_of(SIZES["uneven"])
    values = noise(len(names), 8, ties=False)
    for feature in range(4):
        values[np.array(names) == f"l{feature}", feature] += 3
    tests = measure_labels(values, Labels.of(names))
    assert tests.surest[:4].tolist() == [0, 1, 2, 3]
    assert (tests.p[range(4), range(4)] == 1 / (1 + DRAWS)).all()
    assert (tests.auc[range(4), range(4)] > 0.95).all()
    others = np.array([tests.p[feature, label] for feature in range(8) for label in range(4) if feature != label])
    assert (others > 0.01).all()


def test_only_ranks_count_and_features_do_not_see_each_other() -> None:
    values, labels = noise(80, 6, ties=True), Labels.of(labels_of([30, 50]))
    tests, bent = measure_labels(values, labels), measure_labels(np.exp(values), labels)
    assert np.array_equal(tests.p, bent.p) and np.array_equal(tests.auc, bent.auc)
    for feature in range(6):
        alone = measure_labels(values[:, [feature]], labels)
        assert np.array_equal(alone.p[0], tests.p[feature]) and np.array_equal(alone.auc[0], tests.auc[feature])


def test_work_cut_into_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values, labels = noise(80, 6, ties=True), Labels.of(labels_of([30, 50]))
    whole = measure_labels(values, labels).p
    monkeypatch.setattr("atlas.similarity.tables.label_tests.NUMBERS_AT_ONCE", 4000)
    assert measure_labels(values, labels).p == pytest.approx(whole, abs=0.06), "other draws"


def test_pictures_without_a_label_are_left_out() -> None:
    values, names = noise(90, 3, ties=False), labels_of([40, 30])
    known = measure_labels(values[:70], Labels.of(names))
    more = measure_labels(values, Labels.of([*names, *[None] * 20]))
    assert np.array_equal(known.p, more.p) and np.array_equal(known.auc, more.auc)


def test_labels_are_several_or_say_nothing() -> None:
    assert Labels.of(["a", None, "b"]).are_several
    assert not Labels.of(["a", None, "a"]).are_several
    assert not Labels.of([None]).are_several
