"""What `atlas.visualize` is asked to drive: channels of a layer, or an objective of the user's own; and whether it can."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from atlas.generate.subject import Subject
from atlas.optvis.metrics import metric_named
from atlas.optvis.objectives import Channel, Objective
from atlas.optvis.targets import target_objective
from atlas.records import Target
from atlas.sweep.targets import make_target
from atlas.zoo.forward import Forward


@dataclass(frozen=True)
class Aim:
    """What is driven: an image for each channel, and the objective of a batch of them."""

    layer: str
    channels: list[int]
    labels: list[str]
    objective: Callable[[Tensor], Objective]  # channels (b,) -> objective

    def example(self, device: torch.device) -> Objective:
        """The objective of the first image alone."""
        return self.objective(torch.tensor(self.channels[:1], device=device))


def read_aim(
    layer: str | None,
    channels: int | str | Sequence[int | str] | None,
    *,
    objective: Objective | None,
    target: str | Mapping[str, Any] | Target,
    metric: tuple[str | None, float],
    numbered: Callable[[str, str], int],
) -> Aim:
    """What `atlas.visualize` is asked to drive.

    metric: its name (None: the objective's own) and its C. numbered: a layer and a class's name -> the channel.

    ValueError, ConfigError: what is wrong, and what is allowed.
    """
    name, constant = metric
    if objective is not None:
        if layer is not None or channels is not None:
            raise ValueError("objective: it says itself what is driven; leave layer and channels out")
        under = objective if name is None else objective.under(metric_named(name, constant))
        unit = objective.atoms[0].unit
        first = unit.number if isinstance(unit, Channel) and isinstance(unit.number, int) else 0
        return Aim(objective.layers[0], [first], [objective.label], lambda _: under)
    if layer is None:
        raise ValueError("layer is missing: name one, with channels, as layer='layer3', channels=[0, 5]")
    if channels is None:
        layer, _, channel = layer.rpartition(":")
        if not layer or not channel:
            raise ValueError("channels is missing: name some, as channels=[0, 5], or a feature, as layer='layer3:5'")
        channels = int(channel) if channel.isdecimal() else channel
    measure, part = metric_named(name or "mean", constant), _target(target)
    numbers = [number if isinstance(number, int) else numbered(layer, number) for number in _listed(channels)]
    labels = [f"{layer}:{number}" for number in numbers]
    return Aim(layer, numbers, labels, lambda batch: target_objective(part, layer, batch, measure))


def check_aim(aim: Aim, forward: Forward, subject: Subject) -> None:
    """One look at a gray image: ValueError for channels that the layer has not, or an objective that its maps do not fit."""
    with torch.no_grad():
        maps = forward(subject.images(1, 0.5))
        example = aim.example(subject.device)
        fixed = [(atom.layer, [atom.unit.number]) for atom in example.atoms if isinstance(atom.unit, Channel)]
        for layer, numbers in [(aim.layer, aim.channels), *fixed]:
            count = maps[layer].shape[1]
            absent = [number for number in numbers if isinstance(number, int) and not 0 <= number < count]
            if absent:
                raise ValueError(f"channels={absent}: layer {layer} has {count} channels (0 to {count - 1})")
        example.read(maps, torch.zeros(1, dtype=torch.long, device=subject.device))


def _listed(channels: int | str | Sequence[int | str]) -> list[int | str]:
    """Channels as numbers and names of classes."""
    listed: list[Any] = [channels] if isinstance(channels, Integral | str) else list(channels)  # type: ignore[arg-type]
    if not listed or any(isinstance(channel, bool) or not isinstance(channel, Integral | str) for channel in listed):
        wanted = "a channel or a list of channels is wanted, as 5, [0, 5], or names of classes"
        raise ValueError(f"channels={channels!r}: {wanted}")
    return [channel if isinstance(channel, str) else int(channel) for channel in listed]


def _target(target: str | Mapping[str, Any] | Target) -> Target:
    if isinstance(target, Target):
        return target
    return make_target({"kind": target} if isinstance(target, str) else {"kind": "channel", **target})
