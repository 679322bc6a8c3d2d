"""What a block keeps of its sources and a whole layer: the parts of linear CKA,
and best matches both ways.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from atlas.similarity.compare.lists import Lists
from atlas.similarity.compare.measures import Pair, Tile

COVARIANCE = "cov."  # begins the names of arrays that add up over sources
BACK = (".back_score", ".back_row")  # end those that are the best over sources; all others have a row for each


def sums(pair: Pair) -> dict[str, np.ndarray]:
    """Σ cov² of sources and layer, and of sources and the rotated copy: what linear CKA is made of."""
    sd = pair.sources.facts["sd"].nan_to_num()
    parts = [(_norms(slope) * sd).square().sum() for slope in (pair.slope, pair.turned_slope)]
    return {f"{COVARIANCE}{pair.layer.number}": torch.stack(parts).cpu().numpy()}


def _norms(slope: Float[Tensor, "sources channels"]) -> Float64[Tensor, "sources"]:
    return torch.linalg.vector_norm(slope.nan_to_num(), dim=1).double()


def matches(nearest: Lists, tile: Tile, pair: Pair) -> dict[str, np.ndarray]:
    """Each source's best match in a layer, and in its rotated copy both ways.

    nearest: the lists of the sources in the layer, by profile, taken from the tile.
    """
    back = torch.nan_to_num(tile.turned, nan=-torch.inf).max(0)
    arrays = {
        "score": nearest["score"][:, 0],
        "column": nearest["column"][:, 0],
        "turned_score": nearest["turned"][:, 0],
        "turned_column": nearest["turned_column"][:, 0],
        "back_score": back.values,
        "back_row": back.indices + pair.sources.start,
    }
    return {f"match.{pair.layer.number}.{name}": value.cpu().numpy() for name, value in arrays.items()}


def joined(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of two runs of sources, the one after the other, as those of all of them together."""
    return {name: _joined(name, first, second) for name in first}


def _joined(name: str, first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> np.ndarray:
    if name.startswith(COVARIANCE):
        return first[name] + second[name]
    if name.endswith(BACK):
        score = name.rpartition(".")[0] + BACK[0]
        return np.where(second[score] > first[score], second[name], first[name])
    return np.concatenate([first[name], second[name]])
