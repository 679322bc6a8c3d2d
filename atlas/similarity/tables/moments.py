"""Mean and deviation of each feature over a probe: what a further picture is compared with."""

import pyarrow as pa

from atlas.similarity.compare.facts import Facts
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.store.similarity_tables import MOMENTS


def moment_rows(features: LayerFeatures, facts: Facts) -> pa.Table:
    """MOMENTS of the live features of a layer."""
    rows = [
        {**begin, "mu": facts.mu[place], "sigma": facts.sigma[place]}
        for place, begin in features.live_rows()
        if facts.sigma[place] > 0
    ]
    return pa.Table.from_pylist(rows, schema=MOMENTS)
