"""How well images do what they were made for: whether each drives its channel more than other channels'
images do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int

from atlas.similarity.compare.facts import Facts, PictureRoles
from atlas.similarity.compare.spans import LayerSpan
from atlas.store.similarity_tables import QUALITY


@dataclass(frozen=True)
class Marks:
    """`self_rank` and `self_z` of some pictures; 0 and NaN where there is none."""

    picture: Int[np.ndarray, "m"]  # its number in the probe
    rank: Int[np.ndarray, "m"]
    z: Float32[np.ndarray, "m"]


def marks(span: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts, made_for: Int[np.ndarray, "n"]) -> Marks:
    """Mark every picture made for a feature of a layer against the layer's pictures of other features.

    values: what the layer's channels do on all pictures; made_for: the feature of each picture, -1 for none.
    """
    pictures = np.flatnonzero((made_for >= span.start) & (made_for < span.stop))
    local = made_for[pictures] - span.start
    responses = values[pictures]
    rank = np.zeros(len(pictures), np.int64)
    for channel in np.unique(local):
        column, own = responses[:, channel], local == channel
        rank[own] = 1 + (column[~own] > column[own][:, None]).sum(1)
    score = responses[np.arange(len(local)), local].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = ((score - facts.mu[local]) / facts.sigma[local]).astype(np.float32)
    alive = facts.alive[local]
    return Marks(pictures, np.where(alive, rank, 0), np.where(alive, z, np.float32(np.nan)))


def quality_rows(of_images: Marks, pictures: Sequence[str], roles: PictureRoles) -> pa.Table:
    """QUALITY of a layer's images; NULL for what is not live. pictures: ids of all pictures of the probe."""
    columns = [
        pa.array([pictures[number] for number in of_images.picture], pa.string()),
        pa.array([roles.features[roles.made_for[number]] for number in of_images.picture], pa.string()),
        pa.array(of_images.rank, pa.int32(), mask=of_images.rank == 0),
        pa.array(of_images.z, pa.float32(), mask=~np.isfinite(of_images.z)),
    ]
    return pa.table(columns, schema=QUALITY)
