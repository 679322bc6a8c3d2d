"""Two models feature by feature: a copy is recognised however its channels lie, a rotated one is not."""

from pathlib import Path

import numpy as np
import pytest
from planted import Planted, compare, oracle, planted

from atlas.records import Address
from atlas.similarity.tables.layer_pairs import layer_table
from atlas.similarity.tables.matches import match_table
from tests.similarity.tables.test_layer_pairs import copied


def matches(data: Planted, folder: Path, **options) -> list[dict]:
    bank, results = compare(folder, data, **options)
    table = match_table(bank, results, layer_table(bank, results, "atlas"), probe="atlas")
    results.close()
    return table.to_pylist()


def test_a_permuted_copy_is_recovered_feature_by_feature(tmp_path: Path) -> None:
    data, order = copied("permuted")
    rows = matches(data, tmp_path)
    assert len(rows) == 80
    back = np.argsort(order)
    for row in rows:
        mine = Address.parse(row["src"])
        twin = (order if mine.model == "a" else back)[mine.channel]
        other = "b" if mine.model == "a" else "a"
        assert row["dst"] == row["partner"] == f"{other}/l:{twin}"
        assert row["score"] >= 0.9999 and row["partner_score"] >= 0.9999
        assert row["mutual"]
        assert row["excess"] == pytest.approx(row["score"] - row["baseline"])
    assert np.mean([row["excess"] for row in rows]) > 0.2


def test_a_rotated_copy_matches_no_better_than_its_control(tmp_path: Path) -> None:
    data, _ = copied("rotated")
    rows = matches(data, tmp_path)
    assert abs(np.mean([row["excess"] for row in rows])) < 0.05


def test_rows_are_those_of_a_loop_and_partners_are_one_to_one(tmp_path: Path) -> None:
    data = planted({"a/x": 9, "a/y": 7, "b/p": 12, "c/q": 4}, seed=6, extra=9)
    data.values[:, 2] = 4.0
    r = oracle(data, "profile")
    names = [Address.parse(address) for address in data.addresses]
    numbers = {address: number for number, address in enumerate(data.addresses)}
    rows = matches(data, tmp_path)
    live = [n for n in range(len(names)) if n != 2]
    assert len(rows) == 2 * len(live)
    for row in rows:
        f = numbers[row["src"]]
        there = [g for g in live if names[g].model == row["model_b"]]
        best = max(there, key=lambda g: (r[f, g], -g))
        assert numbers[row["dst"]] == best
        assert row["score"] == pytest.approx(r[f, best], abs=1e-5)
        mine = [g for g in live if names[g].model == row["model_a"]]
        assert row["mutual"] is (max(mine, key=lambda g: (r[best, g], -g)) == f)
        if row["partner"]:
            assert row["partner_score"] == pytest.approx(r[f, numbers[row["partner"]]], abs=1e-5)
    for a in ("x", "y"):
        partners = [row["partner"] for row in rows if row["src"].startswith(f"a/{a}:") and row["model_b"] == "b"]
        assert len(set(partners)) == len(partners) and None not in partners
    of_b = [row["partner"] for row in rows if (row["model_a"], row["model_b"]) == ("b", "c")]
    assert sum(partner is None for partner in of_b) == 12 - 4, "the smaller layer's features are taken once each"


def test_partners_are_the_assignment_of_the_highest_sum(tmp_path: Path) -> None:
    from itertools import permutations

    data = planted({"a/l": 6, "b/l": 6}, seed=8, extra=10)
    r = oracle(data, "profile")[:6, 6:]
    highest = max(sum(r[i, j] for i, j in enumerate(order)) for order in permutations(range(6)))
    rows = [row for row in matches(data, tmp_path) if row["model_a"] == "a"]
    assert sum(row["partner_score"] for row in rows) == pytest.approx(highest, abs=1e-4)


def test_one_model_alone_has_no_matches(tmp_path: Path) -> None:
    assert matches(planted({"a/l": 6}), tmp_path) == []


def test_without_a_model_to_compare_with_in_the_lists_there_is_nothing(tmp_path: Path) -> None:
    assert matches(planted({"a/l": 6, "b/l": 6}), tmp_path, scopes=["layer"]) == []
