"""Metric of target, as a function of images: what the optimiser sees of a network."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from atlas.optvis.metrics import METRICS
from atlas.optvis.targets import select
from atlas.records import Target

Forward = Callable[[Tensor], Mapping[str, Tensor]]  # images (b, 3, h, w) -> layer: maps (b, c, h', w')


class Reading(NamedTuple):
    """What an objective says of a batch of images."""

    loss: Float[Tensor, " b"]  # to be made small
    score: Float[Tensor, " b"]  # mean activation of the target
    maps: Float[Tensor, "b c h w"] | None = None  # of the layer that is driven


# images (b, 3, h, w) and which of the batch's images they are (b,) -> Reading
Objective = Callable[[Tensor, Tensor], Reading]


class FeatureObjective:
    """Drive one channel of a layer for each image of a batch, and with it the target's partners, the same for all of them."""

    def __init__(
        self,
        forward: Forward,
        layer: str,
        channels: Int[Tensor, " b"],
        *,
        target: Target,
        metric: str = "l1",
        constant: float = 0.0,
    ) -> None:
        self.forward, self.layer, self.channels = forward, layer, channels
        self.target, self.partners = target, target.features
        self.metric, self.constant = METRICS[metric], constant

    def __call__(self, images: Float[Tensor, "b 3 h w"], which: Int[Tensor, " b"]) -> Reading:
        return self.judge(self.forward(images), which)

    def judge(self, maps: Mapping[str, Tensor], which: Int[Tensor, " b"]) -> Reading:
        """The reading of activation maps that a forward pass has left."""
        parts = [select(self.target, maps[self.layer], self.channels[which])]
        parts += [
            select(self.target, maps[layer], torch.full_like(which, channel)) for _, layer, channel in self.partners
        ]
        losses = torch.stack([self.metric(z, self.constant) for z in parts])
        scores = torch.stack([z.mean(1) for z in parts])
        return Reading(losses.sum(0), scores.mean(0), maps[self.layer])
