"""Layers as wholes: CKA by the textbook, best matches and mutual shares by slow oracles,
and their controls.
"""

from pathlib import Path

import numpy as np
import pytest
from planted import Planted, compare, oracle, planted

from atlas.records import Address
from atlas.similarity.tables.layer_pairs import closest_layers, layer_table

LAYERS = {"a/conv1": 9, "a/conv2": 14, "b/l": 11}


@pytest.fixture(scope="module")
def data() -> Planted:
    data = planted(LAYERS, seed=4, extra=11)
    data.values[:, 3] = 1.5  # a constant channel
    return data


@pytest.fixture(scope="module")
def table(data: Planted, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict]:
    return rows_of(data, tmp_path_factory.mktemp("bank"))


def rows_of(data: Planted, folder: Path, **options) -> dict[tuple[str, str], dict]:
    bank, results = compare(folder, data, **options)
    rows = layer_table(bank, results, "atlas").to_pylist()
    results.close()
    assert all(row["probe"] == "atlas" for row in rows)
    return {(f"{row['model_a']}/{row['layer_a']}", f"{row['model_b']}/{row['layer_b']}"): row for row in rows}


def members(data: Planted, name: str) -> list[int]:
    return [n for n, address in enumerate(data.addresses) if address.rpartition(":")[0] == name]


def textbook_cka(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """‖Yᵀ W X‖² / (‖Xᵀ W X‖ ‖Yᵀ W Y‖) of centred columns (Kornblith 2019, eq. 3, with weights), in float64."""
    x, y = (values.astype(np.float64) - (weight @ values.astype(np.float64)) for values in (x, y))
    cross, of_x, of_y = (np.linalg.norm(a.T @ (weight[:, None] * b)) for a, b in ((y, x), (x, x), (y, y)))
    return cross**2 / (of_x * of_y)


def test_cka_is_the_textbooks_with_weights(data: Planted, table: dict) -> None:
    assert len(table) == 9
    weight = data.roles.weight
    for (a, b), row in table.items():
        x, y = data.values[:, members(data, a)], data.values[:, members(data, b)]
        assert row["cka"] == pytest.approx(textbook_cka(x, y, weight), rel=1e-4)
        assert row["cka_baseline"] == pytest.approx(row["cka"], rel=1e-4), "a rotation changes no CKA"
        assert row["cka"] == pytest.approx(table[b, a]["cka"], rel=1e-5)
        if a == b:
            assert row["cka"] == pytest.approx(1.0, abs=1e-5)


def test_features_are_counted_and_matches_are_those_of_the_oracle(data: Planted, table: dict) -> None:
    r = oracle(data, "profile")
    np.fill_diagonal(r, np.nan)
    for (a, b), row in table.items():
        block = r[np.ix_(members(data, a), members(data, b))]
        live = np.isfinite(block).any(1)
        assert row["features_a"] == len(members(data, a)) - (a == "a/conv1")
        assert row["features_b"] == len(members(data, b)) - (b == "a/conv1")
        assert row["best_match"] == pytest.approx(np.nanmax(block[live], axis=1).mean(), abs=1e-5)


def test_mutual_share_is_that_of_a_loop(data: Planted, table: dict) -> None:
    r = oracle(data, "profile")
    np.fill_diagonal(r, np.nan)
    for (a, b), row in table.items():
        mine, theirs = members(data, a), members(data, b)
        mutual = total = 0
        for f in mine:
            there = [g for g in theirs if np.isfinite(r[f, g])]
            if not there:
                continue
            best = max(there, key=lambda g: (r[f, g], -g))
            back = max((g for g in mine if np.isfinite(r[best, g])), key=lambda g: (r[best, g], -g))
            total, mutual = total + 1, mutual + (back == f)
        assert row["mutual_share"] == pytest.approx(mutual / total)
        assert 0 <= row["mutual_share_baseline"] <= 1


@pytest.mark.parametrize("most", [1, 5])
def test_blocks_change_nothing(tmp_path: Path, most: int) -> None:
    """Blocks of one feature are as many as pairs, so there are fewer features here."""
    data = planted({"a/conv1": 6, "a/conv2": 8, "b/l": 7}, seed=4, extra=11)
    # a constant channel
    data.values[:, 3] = 1.5
    other = rows_of(data, tmp_path / "cut", most=most)
    for pair, row in rows_of(data, tmp_path / "whole").items():
        for column, value in row.items():
            wanted = pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
            assert other[pair][column] == wanted


def test_layers_of_nothing_but_dead_channels_have_no_row(tmp_path: Path) -> None:
    data = planted(LAYERS, seed=4)
    data.values[:, members(data, "a/conv2")] = 0.0
    table = rows_of(data, tmp_path)
    assert {name for pair in table for name in pair} == {"a/conv1", "b/l"}


def test_a_lone_channel_has_no_best_match_in_its_own_layer(tmp_path: Path) -> None:
    data = planted({"a/one": 1, "a/two": 6}, seed=1, extra=8)
    row = rows_of(data, tmp_path)["a/one", "a/one"]
    assert (row["best_match"], row["mutual_share"], row["features_a"]) == (None, None, 1)
    assert row["cka"] == pytest.approx(1.0)


def copied(kind: str, channels: int = 40, seed: int = 0) -> tuple[Planted, np.ndarray]:
    """A layer of model `a`, and as model `b` the same, permuted or rotated; channel n of a is channel order[n] of b."""
    half = planted({"a/l": channels}, seed=seed, extra=3 * channels)
    random = np.random.default_rng(seed)
    order = random.permutation(channels)
    values = half.values.astype(np.float64)
    values = values / values.std(0)  # one channel as loud as another: a rotation mixes them evenly
    number = {Address.parse(address).channel: n for n, address in enumerate(half.addresses)}
    mine = values[:, [number[channel] for channel in range(channels)]]
    if kind == "rotated":
        theirs = mine @ np.linalg.qr(random.normal(size=(channels, channels)))[0]
    else:
        theirs = np.empty_like(mine)
        theirs[:, order] = 2.5 * mine + 7.0
    by_channel = {"a": mine, "b": theirs}
    addresses = sorted(f"{model}/l:{channel}" for model in "ab" for channel in range(channels))
    parsed = [Address.parse(address) for address in addresses]
    columns = np.stack([by_channel[address.model][:, address.channel] for address in parsed], 1)
    made_for = np.full(len(values), -1)
    made_for[: len(values) // 2] = np.arange(len(values) // 2) % len(addresses)
    for feature in range(len(addresses)):
        assert feature in made_for
    return Planted(addresses, columns.astype(np.float32), made_for, np.zeros(len(values), int)), order


def test_a_permuted_copy_is_the_same_layer(tmp_path: Path) -> None:
    data, _ = copied("permuted")
    row = rows_of(data, tmp_path)["a/l", "b/l"]
    assert row["cka"] == pytest.approx(1.0, abs=1e-5)
    assert row["best_match"] > 0.9999
    assert row["mutual_share"] == 1.0
    assert row["best_match_baseline"] < 0.8
    assert row["mutual_share_baseline"] < 0.9


def test_a_rotated_copy_is_the_same_to_cka_alone(tmp_path: Path) -> None:
    data, _ = copied("rotated")
    row = rows_of(data, tmp_path)["a/l", "b/l"]
    assert row["cka"] == pytest.approx(1.0, abs=1e-4)
    assert row["best_match"] == pytest.approx(row["best_match_baseline"], abs=0.1)
    assert row["mutual_share"] == pytest.approx(row["mutual_share_baseline"], abs=0.2)


def test_the_closest_layer_is_the_one_of_highest_cka(tmp_path: Path) -> None:
    data = planted({"a/x": 8, "a/y": 8, "b/p": 8, "b/q": 8}, seed=9, extra=20)
    at = {name: members(data, name) for name in ("a/x", "a/y", "b/p", "b/q")}
    data.values[:, at["b/q"]] = data.values[:, at["a/x"]] * 2
    data.values[:, at["b/p"]] = data.values[:, at["a/y"]] + 1
    bank, results = compare(tmp_path, data)
    table = layer_table(bank, results, "atlas")
    results.close()
    assert closest_layers(table, "a", "b") == {"x": "q", "y": "p"}
    assert closest_layers(table, "b", "a") == {"q": "x", "p": "y"}
    assert closest_layers(table, "a", "c") == {}
