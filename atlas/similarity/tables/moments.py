"""What each feature does on a probe, in a few numbers: with these a further picture is compared."""

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from atlas.similarity.compare.facts import Facts
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.store.similarity_tables import MOMENTS

HIGHEST = 3  # of a feature's responses that are kept; of PatternNet's images no fourth changes who comes first


def moment_rows(features: LayerFeatures, facts: Facts, values: Float32[np.ndarray, "n c"]) -> pa.Table:
    """MOMENTS of the live features of a layer; values: their responses to the probe's pictures."""
    highest = -np.sort(-values, axis=0)[:HIGHEST].T
    rows = [
        {**begin, "mu": facts.mu[place], "sigma": facts.sigma[place], "highest": highest[place]}
        for place, begin in features.live_rows()
        if facts.sigma[place] > 0
    ]
    return pa.Table.from_pylist(rows, schema=MOMENTS)
