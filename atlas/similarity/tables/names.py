"""Names of features: the label of pictures that drives a feature beyond chance, and the one that comes second."""

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float32, Int

from atlas.similarity.tables.label_tests import Labels, LabelTests, measure_labels
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.store.similarity_tables import NAMES

LEVEL = 0.01  # a name's p is below (METHODS 11)


def name_rows(features: LayerFeatures, values: Float32[np.ndarray, "n c"], labels: Labels, seed: int = 0) -> pa.Table:
    """NAMES of the live features of a layer.

    values: mean activations of its features on the probe's pictures. The name is the label of the highest AUC among
    those whose p is below LEVEL; a feature that has none keeps the AUC and p of its surest.
    """
    live = np.flatnonzero(features.alive)
    if not labels.are_several or not len(live):
        return NAMES.empty_table()
    tests = measure_labels(values[:, live], labels, seed)
    chosen, is_name = _chosen(tests)
    rows = []
    for row, (_, begin) in enumerate(features.live_rows()):
        auc, label = tests.auc[row], chosen[row]
        runner_up = int(np.argmax(np.where(np.arange(len(auc)) == label, -np.inf, auc)))
        rows.append(
            {
                **begin,
                "name": labels.names[label] if is_name[row] else None,
                "auc": auc[label],
                "p": tests.p[row, label],
                "runner_up": labels.names[runner_up] if is_name[row] else None,
                "runner_up_auc": auc[runner_up],
            }
        )
    return pa.Table.from_pylist(rows, schema=NAMES)


def _chosen(tests: LabelTests) -> tuple[Int[np.ndarray, "c"], Bool[np.ndarray, "c"]]:
    """The label that a row tells of, and whether it is the feature's name."""
    is_sure = tests.p < LEVEL
    best = np.argmax(np.where(is_sure, tests.auc, -np.inf), axis=1)
    is_name = np.asarray(is_sure.any(axis=1))
    return np.where(is_name, best, tests.surest), is_name
