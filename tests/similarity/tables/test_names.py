"""The name of a feature: the best of the labels that are beyond chance, or none."""

import numpy as np

from atlas.similarity.tables.label_tests import Labels
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.similarity.tables.names import name_rows
from atlas.store.similarity_tables import NAMES

SIZES = {"discs": 60, "rings": 60, "stars": 12}
SHOWN = [label for label, size in SIZES.items() for _ in range(size)]
FEATURES = tuple(f"net/l:{channel}" for channel in (3, 5, 8, 9))


def rows_of(values: np.ndarray, alive: list[bool], shown: list[str | None] | None = None) -> list[dict]:
    labels = Labels.of(SHOWN if shown is None else shown)
    return name_rows(LayerFeatures("natural", "w", FEATURES, np.array(alive)), values, labels).to_pylist()


def responses(*driven_by: tuple[str, ...]) -> np.ndarray:
    """Noise, and three deviations more for the first label of each feature, two for the second."""
    values = np.random.default_rng(0).normal(size=(len(SHOWN), len(driven_by)))
    for channel, labels in enumerate(driven_by):
        for label, lift in zip(labels, (3, 2), strict=False):
            values[np.array(SHOWN) == label, channel] += lift
    return values.astype(np.float32)


def test_the_name_is_what_was_planted_with_its_runner_up() -> None:
    rows = rows_of(responses(("discs", "rings"), ("stars",), (), ("rings", "stars")), [True] * 4)
    assert [row["feature"] for row in rows] == list(FEATURES)
    assert [(row["probe"], row["model"], row["layer"], row["channel"]) for row in rows[:1]] == [
        ("natural", "net", "l", 3)
    ]
    assert [row["name"] for row in rows] == ["discs", "stars", None, "rings"]
    assert [row["runner_up"] for row in rows][::3] == ["rings", "stars"]
    for row in rows:
        assert (row["name"] is None) == (row["p"] >= 0.01) == (row["runner_up"] is None)
        assert row["name"] is None or row["auc"] > max(0.75, row["runner_up_auc"])


def test_a_dead_feature_has_no_row() -> None:
    values = responses(("discs",), (), (), ())
    values[:, 2] = np.nan
    rows = rows_of(values, [True, False, False, True])
    assert [row["channel"] for row in rows] == [3, 9]


def test_without_labels_or_live_features_the_table_is_empty() -> None:
    values = responses((), (), (), ())
    assert rows_of(values, [True] * 4, [None] * len(SHOWN)) == []
    assert rows_of(values, [False] * 4) == []
    only = Labels.of(["discs"] * len(SHOWN))
    assert name_rows(LayerFeatures("p", "w", FEATURES, np.ones(4, bool)), values, only).schema == NAMES
