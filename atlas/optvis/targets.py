"""Which activations of a channel's map are driven: from maps (b, c, h, w) and a channel for each image to z (b, n)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from atlas.records import Target

Maps = Float[Tensor, "b h w"]


def select(target: Target, maps: Float[Tensor, "b c h w"], channels: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
    """The target's activations, image by image, in reading order; ValueError where the map is too small for it."""
    own = maps[torch.arange(len(channels), device=maps.device), channels]
    return TARGETS[target.kind](own, target).flatten(1)


def _whole(own: Maps, target: Target) -> Tensor:
    return own


def _row(own: Maps, target: Target) -> Tensor:
    return own[:, _inside(target.row, own.shape[1], "row")]


def _neuron(own: Maps, target: Target) -> Tensor:
    return _row(own, target)[:, _inside(target.col, own.shape[2], "col"), None]


def _cumulative(own: Maps, target: Target) -> Tensor:
    neurons = own.flatten(1)
    if target.count is None or not 0 < target.count <= neurons.shape[1]:
        raise ValueError(f"target.count={target.count}: this map has {neurons.shape[1]} neurons ({_size(own)})")
    return neurons[:, : target.count]


def _inside(position: int | None, length: int, name: str) -> int:
    """A position on the map; None is the middle."""
    if position is None:
        return length // 2
    if position >= length:
        raise ValueError(f"target.{name}={position}: this map has {length} (0 to {length - 1})")
    return position


def _size(own: Maps) -> str:
    return f"{own.shape[1]} x {own.shape[2]}"


TARGETS: dict[str, Callable[[Tensor, Target], Tensor]] = {
    "channel": _whole,
    "row": _row,
    "neuron": _neuron,
    "cumulative": _cumulative,
    "joint": _whole,
}
