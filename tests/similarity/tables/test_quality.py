"""self_rank and self_z against a loop over pictures."""

from pathlib import Path

import numpy as np
import pytest
from planted import planted

from atlas.similarity.compare.bank import write_bank
from atlas.similarity.tables.quality import Marks, marks


def marked(data, tmp_path: Path) -> dict[str, Marks]:
    marks_by_layer: dict[str, Marks] = {}

    def look(span, values, facts):
        marks_by_layer[span.name] = marks(span, values, facts, data.made_for)

    write_bank(tmp_path, data.roles, lambda span: data.values[:, span.features].copy(), look=look)
    return marks_by_layer


def test_marks_are_those_of_a_loop(tmp_path: Path) -> None:
    data = planted({"a/l": 10, "a/m": 6}, seed=2, extra=5)
    again = np.array([4, 4, 12])  # more pictures of two features
    data.values = np.vstack([data.values, data.values[again] * np.float32(0.9)])
    data.made_for, data.source = np.append(data.made_for, again), np.append(data.source, [0, 0, 1])
    by_layer = marked(data, tmp_path)
    assert sorted(by_layer) == ["a/l", "a/m"]
    pictures = []
    for name, layer in by_layer.items():
        for picture, rank, z in zip(layer.picture, layer.rank, layer.z, strict=True):
            channel = data.made_for[picture]
            assert data.addresses[channel].startswith(f"{name}:")
            members = [n for n, address in enumerate(data.addresses) if address.startswith(f"{name}:")]
            rivals = [
                n for n in range(len(data.made_for)) if data.made_for[n] in members and data.made_for[n] != channel
            ]
            own = data.values[picture, channel]
            assert rank == 1 + sum(data.values[n, channel] > own for n in rivals)
            others = data.made_for != channel
            weight = data.roles.weight[others] / data.roles.weight[others].sum()
            values = data.values[others, channel].astype(np.float64)
            mean = (weight * values).sum()
            assert z == pytest.approx((own - mean) / np.sqrt((weight * (values - mean) ** 2).sum()), rel=1e-4)
            pictures.append(picture)
    assert sorted(pictures) == np.flatnonzero(data.made_for >= 0).tolist(), (
        "each picture that was made for a feature, once"
    )


def test_a_tie_is_no_defeat_and_what_is_not_live_has_no_mark(tmp_path: Path) -> None:
    data = planted({"a/l": 6}, seed=1)
    data.values[:, 2] = 3.0
    data.values[4, 3] = np.nan
    data.values[:, 5] = np.arange(6) == 5
    data.values[1, 5] = 1.0
    layer = marked(data, tmp_path)["a/l"]
    assert layer.picture.tolist() == list(range(6))
    assert layer.rank[[2, 3]].tolist() == [0, 0]
    assert np.isnan(layer.z).tolist() == [False, False, True, True, False, False]
    assert layer.rank[5] == 1


def test_the_lowest_of_all_is_last(tmp_path: Path) -> None:
    data = planted({"a/l": 5}, seed=1)
    data.values[0, 0] = data.values[:, 0].min() - 1
    assert marked(data, tmp_path)["a/l"].rank[0] == 5
