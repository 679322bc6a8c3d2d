"""Objectives: what of a network is driven, as a weighted sum of atoms; activation maps in, one loss an image out.

An atom is a unit (a channel, or a direction in the space of channels) at some positions of its map, under a metric.
`0.5 * channel("layer3:5") - neuron("layer4:7")` is an objective, as in lucid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from atlas.optvis import parts
from atlas.optvis.metrics import Metric, mean
from atlas.optvis.parts import Part, whole

Maps = Mapping[str, Tensor]  # layer: maps (b, c, h', w')
# maps (b, c, h, w), and which of the batch's images they are of (b,) -> the unit's own maps (b, h, w)
Unit = Callable[[Tensor, Tensor], Tensor]


class Reading(NamedTuple):
    """What an objective says of a batch of images."""

    loss: Float[Tensor, " b"]  # to be made small
    score: Float[Tensor, " b"]  # mean activation of what is driven
    maps: Float[Tensor, "b c h w"] | None = None  # of the objective's first layer


@dataclass(frozen=True)
class Atom:
    """One unit of a layer at some positions of its map, under a metric, with a weight."""

    layer: str
    unit: Unit
    part: Part = whole
    metric: Metric = mean
    weight: float = 1.0

    @property
    def label(self) -> str:
        """What is driven, without its sign: `0.5 layer3:5`."""
        unit = f":{self.unit}" if isinstance(self.unit, Channel) else "@direction"
        return f"{'' if abs(self.weight) == 1 else f'{abs(self.weight):g} '}{self.layer}{unit}"

    def read(self, maps: Maps, which: Int[Tensor, " b"]) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        """Loss and score of each image, both times the weight."""
        z = self.part(self.unit(maps[self.layer], which)).flatten(1)
        return self.weight * self.metric(z), self.weight * z.mean(1)


@dataclass(frozen=True)
class Objective:
    """A sum of atoms. Objectives add, subtract and scale."""

    atoms: tuple[Atom, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose maps are read, the first atom's first."""
        return tuple(dict.fromkeys(atom.layer for atom in self.atoms))

    @property
    def label(self) -> str:
        """What is driven, in a few words: `0.5 layer3:5 - layer4:7`."""
        parts = " ".join(f"{'-' if atom.weight < 0 else '+'} {atom.label}" for atom in self.atoms)
        return parts.removeprefix("+ ")

    def read(self, maps: Maps, which: Int[Tensor, " b"]) -> Reading:
        """The sum of the atoms' losses, and the mean of their scores by the size of their weights."""
        losses, scores = zip(*(atom.read(maps, which) for atom in self.atoms), strict=True)
        total = sum(abs(atom.weight) for atom in self.atoms)
        return Reading(torch.stack(losses).sum(0), torch.stack(scores).sum(0) / total, maps[self.layers[0]])

    def under(self, metric: Metric) -> "Objective":
        """The same atoms, all under one metric."""
        return replace(self, atoms=tuple(replace(atom, metric=metric) for atom in self.atoms))

    def __add__(self, other: "Objective") -> "Objective":
        return Objective((*self.atoms, *other.atoms)) if isinstance(other, Objective) else NotImplemented

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other if isinstance(other, Objective) else NotImplemented

    def __mul__(self, factor: float) -> "Objective":
        if not isinstance(factor, int | float) or factor == 0:
            raise ValueError(f"an objective times {factor!r}: a number other than 0 is wanted")
        return Objective(tuple(replace(atom, weight=atom.weight * factor) for atom in self.atoms))

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Objective":
        return self * (1 / divisor)

    def __neg__(self) -> "Objective":
        return self * -1.0


def channel(layer: str, number: int | Tensor | None = None, metric: Metric = mean) -> Objective:
    """A whole channel; `channel("layer3:5")` is `channel("layer3", 5)`. number: or one of each image, (b,)."""
    return _atom(layer, number, whole, metric)


def row(layer: str, number: int | None = None, at: int | None = None, metric: Metric = mean) -> Objective:
    """One row of a channel's map; None: the middle one."""
    return _atom(layer, number, partial(parts.row, row=at), metric)


def neuron(
    layer: str, number: int | None = None, at: tuple[int, int] | None = None, metric: Metric = mean
) -> Objective:
    """One activation of a channel's map, at (row, column); None: the middle one."""
    down, across = (None, None) if at is None else at
    return _atom(layer, number, partial(parts.neuron, row=down, col=across), metric)


def direction(
    layer: str,
    weight: Sequence[float] | Tensor,
    bias: float = 0.0,
    *,
    relu: bool = False,
    metric: Metric = mean,
) -> Objective:
    """w · a + b at every position of a layer's map a (c, h, w); relu: max(0, ·) of it, as a latent of an autoencoder.

    weight: (c,), one number for each channel of the layer: a probe, a principal component, a class vector.
    """
    vector = torch.as_tensor(weight, dtype=torch.float32)
    if vector.ndim != 1:
        raise ValueError(f"weight has shape {tuple(vector.shape)}: one number for each channel is wanted, (c,)")
    return Objective((Atom(layer, Direction(vector, bias, relu), metric=metric),))


@dataclass(frozen=True)
class Channel:
    """A channel's own map: the same channel for every image, or one for each (b,)."""

    number: int | Int[Tensor, " images"]

    def __str__(self) -> str:
        return str(self.number) if isinstance(self.number, int) else "each"

    def __call__(self, maps: Float[Tensor, "b c h w"], which: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        number = torch.full_like(which, self.number) if isinstance(self.number, int) else self.number[which]
        return maps[torch.arange(len(which), device=maps.device), number]


@dataclass(frozen=True)
class Direction:
    """A weighted sum of a layer's channels, at every position."""

    weight: Float[Tensor, " c"]
    bias: float = 0.0
    relu: bool = False

    def __call__(self, maps: Float[Tensor, "b c h w"], which: Int[Tensor, " b"]) -> Float[Tensor, "b h w"]:
        if maps.shape[1] != len(self.weight):
            raise ValueError(f"a direction of {len(self.weight)} numbers, and this layer has {maps.shape[1]} channels")
        along = torch.einsum("bchw,c->bhw", maps, self.weight.to(maps)) + self.bias
        return F.relu(along) if self.relu else along


def _atom(layer: str, number: int | Tensor | None, part: Part, metric: Metric) -> Objective:
    if number is None:
        name, _, digits = layer.rpartition(":")
        if not name or not digits.isdecimal():
            raise ValueError(f"{layer!r} names no channel: write layer:channel, as layer3:5, or give the channel too")
        layer, number = name, int(digits)
    return Objective((Atom(layer, Channel(number), part, metric),))
