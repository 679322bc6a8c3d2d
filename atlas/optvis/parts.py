"""Which activations of one channel's map are driven."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

# one channel's maps (b, h, w) -> the activations that are driven, in reading order (b, …)
Part = Callable[[Tensor], Tensor]


def whole(maps: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    return maps


def row(maps: Float[Tensor, "b h w"], row: int | None) -> Float[Tensor, "b w"]:
    return maps[:, _inside(row, maps.shape[1], "row")]


def neuron(maps: Float[Tensor, "b h w"], row: int | None, col: int | None) -> Float[Tensor, "b 1"]:
    return maps[:, _inside(row, maps.shape[1], "row")][:, _inside(col, maps.shape[2], "col"), None]


def cumulative(maps: Float[Tensor, "b h w"], count: int | None) -> Float[Tensor, "b n"]:
    """The first `count` neurons in reading order."""
    neurons = maps.flatten(1)
    if count is None or not 0 < count <= neurons.shape[1]:
        size = f"{maps.shape[1]} x {maps.shape[2]}"
        raise ValueError(f"target.count={count}: this map has {neurons.shape[1]} neurons ({size})")
    return neurons[:, :count]


def _inside(position: int | None, length: int, name: str) -> int:
    """A position on the map; None is the middle. ValueError where the map is too small for it."""
    if position is None:
        return length // 2
    if position >= length:
        raise ValueError(f"target.{name}={position}: this map has {length} (0 to {length - 1})")
    return position
