"""Neighbor tables against the slow float64 oracle: scores, order, reverse ranks, scopes,
and what is nobody's neighbor.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from planted import Planted, compare, oracle, planted

from atlas.records import MEASURES, Address
from atlas.similarity.compare.measures import Pair
from atlas.similarity.tables.neighbors import neighbor_table

pytestmark = pytest.mark.job

LAYERS = {"a/conv1": 12, "a/conv10": 9, "a/conv2": 15, "b net/l": 11}


@pytest.fixture(scope="module")
def data() -> Planted:
    return planted(LAYERS, extra=7)


@pytest.fixture(scope="module")
def compared(data, tmp_path_factory):
    bank, results = compare(tmp_path_factory.mktemp("bank"), data)
    yield bank, results
    results.close()


@pytest.fixture(scope="module")
def scores_of(data) -> Callable[[str], np.ndarray]:
    """The slow oracle's scores by measure, each computed once."""
    return cache(lambda measure: oracle(data, measure))


def allowed(scope: str, data: Planted, f: int, model: str = "") -> list[int]:
    own = Address.parse(data.addresses[f])
    names = [Address.parse(address) for address in data.addresses]
    inside = {
        "layer": lambda name: name[:2] == own[:2],
        "model": lambda name: name.model == own.model,
        "other": lambda name: name.model == model != own.model,
        "all": lambda name: True,
    }[scope]
    return [g for g, name in enumerate(names) if g != f and inside(name)]


def expected(scores: np.ndarray, data: Planted, f: int, among: list[int], sign: int) -> list[int]:
    candidates = [g for g in among if np.isfinite(scores[f, g])]
    return sorted(candidates, key=lambda g: (-sign * np.float32(scores[f, g]), data.addresses[g]))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("scope", ["layer", "model", "all"])
def test_tables_are_those_of_the_oracle(compared, data, scores_of, measure, scope):
    bank, results = compared
    scores = scores_of(measure)
    rows = neighbor_table(bank, results, scope, measure, probe="atlas").to_pylist()
    assert [row["src"] for row in rows] == sorted(row["src"] for row in rows)
    numbers = {address: number for number, address in enumerate(data.addresses)}
    order = {
        (f, sign): expected(scores, data, f, allowed(scope, data, f), sign)
        for f in numbers.values()
        for sign in (1, -1)
    }
    assert len(rows) == sum(min(len(features), 5 if sign == 1 else 2) for (_, sign), features in order.items())
    for row in rows:
        f, g, sign = numbers[row["src"]], numbers[row["dst"]], row["sign"]
        assert row["score"] == pytest.approx(scores[f, g], rel=1e-5, abs=1e-5)
        assert (
            row["score_rev"] == pytest.approx(scores[g, f], rel=1e-5, abs=1e-5, nan_ok=True) or row["score_rev"] is None
        )
        assert order[f, sign][row["rank"] - 1] == g
        back = order[g, sign][: 5 if sign == 1 else 2]
        assert row["rank_rev"] == (back.index(f) + 1 if f in back else None)
        assert row["mutual"] is (f in back)


def test_scope_other_ranks_within_each_other_model(compared, data, scores_of):
    bank, results = compared
    scores = scores_of("profile")
    rows = neighbor_table(bank, results, "other", "profile", probe="atlas").to_pylist()
    numbers = {address: number for number, address in enumerate(data.addresses)}
    for row in rows:
        f, g = numbers[row["src"]], numbers[row["dst"]]
        model = Address.parse(row["dst"]).model
        assert model != Address.parse(row["src"]).model
        assert expected(scores, data, f, allowed("other", data, f, model), row["sign"])[row["rank"] - 1] == g
    assert {row["src"] for row in rows} == set(data.addresses)


@pytest.mark.parametrize("most", [pytest.param(1, marks=pytest.mark.slow), 4, 7])
def test_however_it_is_cut_the_tables_are_the_same(compared, data, tmp_path, most):
    bank, results = compared
    other_bank, other = compare(tmp_path, data, most=most)
    for measure in MEASURES:
        before = neighbor_table(bank, results, "all", measure, probe="atlas")
        after = neighbor_table(other_bank, other, "all", measure, probe="atlas")
        assert before.select(["src", "dst", "sign", "rank", "rank_rev"]) == after.select(
            ["src", "dst", "sign", "rank", "rank_rev"]
        )
        for column in ("score", "baseline"):
            np.testing.assert_allclose(before[column].to_numpy(), after[column].to_numpy(), rtol=1e-5, atol=1e-5)
    other.close()


def test_where_the_memory_runs_out_halves_are_compared_and_the_results_are_the_same(data, tmp_path, monkeypatch):
    compare(tmp_path / "whole", data)[1].close()
    sizes = []

    def scarce(pair):
        sizes.append(len(pair.sources))
        if len(pair.sources) > 4:
            raise torch.OutOfMemoryError("tried to allocate too much")
        return r(pair)

    r = Pair.r.func
    monkeypatch.setattr(Pair, "r", property(scarce))
    compare(tmp_path / "halved", data)[1].close()
    assert {15, 7, 3} <= set(sizes)
    for file in (tmp_path / "whole").glob("block-*.npz"):
        with np.load(file) as whole, np.load(tmp_path / "halved" / file.name) as halved:
            assert set(whole) == set(halved)
            for name in whole:
                np.testing.assert_allclose(whole[name], halved[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_dead_constant_and_infinite_channels_are_absent(tmp_path):
    data = planted({"a/l": 10, "a/m": 6})
    data.values[:, 2] = 0.0
    data.values[:, 4] = 17.25 + 1e-7 * np.arange(len(data.values))
    data.values[3, 7] = np.inf
    data.values[5, 12] = np.nan
    bank, results = compare(tmp_path, data)
    dead = {data.addresses[g] for g in (2, 4, 7, 12)}
    for measure in MEASURES:
        rows = neighbor_table(bank, results, "all", measure, probe="atlas").to_pylist()
        assert dead.isdisjoint({row["src"] for row in rows} | {row["dst"] for row in rows})
        assert all(np.isfinite(row["score"]) for row in rows)
    results.close()
