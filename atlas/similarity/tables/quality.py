"""The optimiser's own mark, image by image: does the image made for a channel drive it more than all others do?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from atlas.similarity.compare.bank import Facts, LayerSpan


@dataclass(frozen=True)
class Marks:
    """Of some pictures: their places in the probe, `self_rank` and `self_z` (NaN, and rank 0, where there is none)."""

    picture: Int[np.ndarray, "m"]
    rank: Int[np.ndarray, "m"]
    z: Float32[np.ndarray, "m"]


def marks(panel: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts, made: Int[np.ndarray, "n"]) -> Marks:
    """Every picture made for a feature of a layer, against the layer's pictures of other features.

    values: what the layer's channels do on all pictures; made: the feature of each, -1 for none.
    """
    pictures = np.flatnonzero((made >= panel.start) & (made < panel.stop))
    local = made[pictures] - panel.start
    mine = values[pictures]
    rank = np.zeros(len(pictures), np.int64)
    for channel in np.unique(local):
        column, own = mine[:, channel], local == channel
        rank[own] = 1 + (column[~own] > column[own][:, None]).sum(1)
    score = mine[np.arange(len(local)), local].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = ((score - facts.mu[local]) / facts.sigma[local]).astype(np.float32)
    alive = facts.alive[local]
    return Marks(pictures, np.where(alive, rank, 0), np.where(alive, z, np.float32(np.nan)))
