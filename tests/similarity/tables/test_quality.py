"""self_rank and self_z against a loop over pictures."""

from pathlib import Path

import numpy as np
import pytest
from planted import planted

from atlas.similarity.compare.bank import write_bank
from atlas.similarity.tables.quality import Marks, marks


def marked(data, tmp_path: Path) -> dict[str, Marks]:
    found: dict[str, Marks] = {}

    def look(panel, values, facts):
        found[panel.name] = marks(panel, values, facts, data.made)

    write_bank(tmp_path, data.addresses, data.pictures, lambda panel: data.values[:, panel.features].copy(), look=look)
    return found


def test_marks_are_those_of_a_loop(tmp_path: Path) -> None:
    data = planted({"a/l": 10, "a/m": 6}, seed=2, extra=5)
    again = np.array([4, 4, 12])  # more pictures of two features
    data.values = np.vstack([data.values, data.values[again] * np.float32(0.9)])
    data.made, data.source = np.append(data.made, again), np.append(data.source, [0, 0, 1])
    found = marked(data, tmp_path)
    assert sorted(found) == ["a/l", "a/m"]
    seen = []
    for name, one in found.items():
        for picture, rank, z in zip(one.picture, one.rank, one.z, strict=True):
            channel = data.made[picture]
            assert data.addresses[channel].startswith(f"{name}:")
            layer = [n for n, address in enumerate(data.addresses) if address.startswith(f"{name}:")]
            rivals = [n for n in range(len(data.made)) if data.made[n] in layer and data.made[n] != channel]
            mine = data.values[picture, channel]
            assert rank == 1 + sum(data.values[n, channel] > mine for n in rivals)
            others = data.made != channel
            weight = data.pictures.weight[others] / data.pictures.weight[others].sum()
            values = data.values[others, channel].astype(np.float64)
            mean = (weight * values).sum()
            assert z == pytest.approx((mine - mean) / np.sqrt((weight * (values - mean) ** 2).sum()), rel=1e-4)
            seen.append(picture)
    assert sorted(seen) == np.flatnonzero(data.made >= 0).tolist(), "each picture that was made for a feature, once"


def test_a_tie_is_no_defeat_and_what_is_not_live_has_no_mark(tmp_path: Path) -> None:
    data = planted({"a/l": 6}, seed=1)
    data.values[:, 2] = 3.0
    data.values[4, 3] = np.nan
    data.values[:, 5] = np.arange(6) == 5
    data.values[1, 5] = 1.0
    one = marked(data, tmp_path)["a/l"]
    assert one.picture.tolist() == list(range(6))
    assert one.rank[[2, 3]].tolist() == [0, 0]
    assert np.isnan(one.z).tolist() == [False, False, True, True, False, False]
    assert one.rank[5] == 1


def test_the_lowest_of_all_is_last(tmp_path: Path) -> None:
    data = planted({"a/l": 5}, seed=1)
    data.values[0, 0] = data.values[:, 0].min() - 1
    assert marked(data, tmp_path)["a/l"].rank[0] == 5
