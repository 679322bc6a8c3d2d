"""From a sweep's target to the objective that it stands for, for a batch of images that drive a channel each."""

from functools import partial

from jaxtyping import Int
from torch import Tensor

from atlas.optvis.metrics import Metric
from atlas.optvis.objectives import Atom, Channel, Objective, channel
from atlas.optvis.parts import cumulative, neuron, row, whole
from atlas.records import Target


def target_objective(target: Target, layer: str, channels: Int[Tensor, " b"], metric: Metric) -> Objective:
    """Drive a part of one channel for each image, and with it the target's partners, the same for all of them."""
    match target.kind:
        case "row":
            part = partial(row, row=target.row)
        case "neuron":
            part = partial(neuron, row=target.row, col=target.col)
        case "cumulative":
            part = partial(cumulative, count=target.count)
        case _:  # channel, joint
            part = whole
    objective = Objective((Atom(layer, Channel(channels), part, metric),))
    for _, partner_layer, number in target.features:
        objective += channel(partner_layer, number, metric)
    return objective
