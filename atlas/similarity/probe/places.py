"""Where on a picture a channel is driven most: maps in; out its highest position and a small heat map of it, for the
pictures that drive each channel most.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from atlas.store.similarity_tables import PLACE
from atlas.zoo.receptive_field import ReceptiveField

HEAT_SIDE = 14  # positions at most: maps of 224 pixels have this or a multiple; 3,000 features with 9 pictures are 5 MB


@dataclass(frozen=True)
class Places:
    """The k pictures of the highest mean activation of each of a layer's channels, best first, and where they drive it."""

    shape: tuple[int, int]  # of the maps
    picture: Int[np.ndarray, "k c"]  # number of the picture among all that were looked at
    mean: Float32[np.ndarray, "k c"]
    peak: Int[np.ndarray, "k c"]  # position of the highest value, in reading order
    heat: UInt8[np.ndarray, "k c h w"]


def places_of(
    maps: Float[Tensor, "b c h w"], means: Float32[np.ndarray, "b c"], numbers: Int[np.ndarray, "b"], *, k: int
) -> Places:
    """The places of a batch's k best pictures; numbers: of its pictures, rising."""
    height, width = maps.shape[2:]
    flat = maps.flatten(2)
    small = torch.nn.functional.adaptive_max_pool2d(maps.float(), (min(height, HEAT_SIDE), min(width, HEAT_SIDE)))
    above = (small - small.mean((2, 3), keepdim=True)).clamp_min(0)
    heat = (above / above.amax((2, 3), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) * 255).nan_to_num(0)
    pictures = np.broadcast_to(numbers[:, None], means.shape)
    peak, heat = flat.argmax(2).cpu().numpy(), heat.round().to(torch.uint8).cpu().numpy()
    return _best(Places((height, width), pictures, means, peak, heat), k)


def merged(places: Places, more: Places, k: int) -> Places:
    """The k best of both; of equals the earlier picture."""
    pairs = [(getattr(places, name), getattr(more, name)) for name in ("picture", "mean", "peak", "heat")]
    return _best(Places(places.shape, *map(np.concatenate, pairs)), k)


def _best(places: Places, k: int) -> Places:
    order = np.argsort(np.where(np.isfinite(places.mean), -places.mean, np.inf), axis=0, kind="stable")[:k]
    picture, mean, peak = (
        np.take_along_axis(values, order, 0) for values in (places.picture, places.mean, places.peak)
    )
    heat = np.take_along_axis(places.heat, order[..., None, None], 0)
    return Places(places.shape, picture, mean, peak, heat)


def place_columns(places: Places, field: ReceptiveField, side: int) -> dict[str, pa.Array]:
    """The columns of PLACE, a row for each place in reading order of (k, c); NULL where a map shows no place.

    field: the receptive fields of the layer's positions, in pixels of a square of `side`.
    """
    count = places.peak.size
    height, width = places.shape
    if height * width == 1 or width == 1:
        return {name: pa.nulls(count, kind) for name, kind in PLACE}
    y, x = np.divmod(places.peak.ravel(), width)
    (y0, y1), (x0, x1) = np.array(field.rows)[y].T, np.array(field.columns)[x].T
    cells = places.heat[0, 0].size
    heat = pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32) * cells, places.heat.reshape(-1))
    same = {"height": height, "width": width, "side": side, "heat_width": places.heat.shape[3]}
    columns = {"y": y, "x": x, "x0": x0, "y0": y0, "x1": x1, "y1": y1, "heat": heat}
    columns |= {name: np.full(count, value) for name, value in same.items()}
    return {name: pa.array(columns[name]).cast(kind) for name, kind in PLACE}
