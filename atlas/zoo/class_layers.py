"""The layers whose channels are a classifier's classes: a model and its layers in; how many classes, and which, out."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from atlas.records import Layer
from atlas.zoo.hooks import hooked

Outputs = dict[str, Tensor]


def class_layers(model: nn.Module, size: int, layers: Sequence[Layer], channels: int = 3) -> tuple[int, frozenset[str]]:
    """How many classes a model tells apart, and the names of the layers that give their scores; 0 for no classifier.

    These layers' maps are (classes, 1, 1), and they give what the model gives: the last one, and modules around it. Where
    what follows them is computed by functions, as a softmax, none does; then it is the last layer. Where a module
    without parameters, as `nn.Softmax`, comes last, the layer before it is one, too.

    model: on the CPU, in eval mode. size, channels: of its images. layers: all of them, in order of execution.
    """
    flat = [layer for layer in layers if (layer.height, layer.width) == (1, 1)]
    # of two images that differ: those of one colour could give the same in several layers
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    result, outputs = _outputs(model, images, flat)
    if not isinstance(result, Tensor) or result.ndim != 2 or len(result) != 2 or result.shape[1] < 2:
        return 0, frozenset()
    count = result.shape[1]
    flat = [layer for layer in flat if layer.channels == count]
    names = _giving(outputs, flat, result)
    if not names and flat and flat[-1] == layers[-1]:
        names = _giving(outputs, flat, outputs[layers[-1].name])
    first = next((layer for layer in flat if layer.name in names), None)
    if first is not None and next(model.get_submodule(first.name).parameters(), None) is None:
        names += [layer.name for layer in flat if layer.index == first.index - 1]
    return count, frozenset(names)


def _outputs(model: nn.Module, images: Tensor, layers: Sequence[Layer]) -> tuple[object, Outputs]:
    """What a model gives, and what some of its layers do, (b, channels), at their first call."""
    outputs: Outputs = {}

    def keep(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        if name not in outputs:
            outputs[name] = output.detach().flatten(1).clone()

    with hooked({layer.name: model.get_submodule(layer.name) for layer in layers}, keep), torch.no_grad():
        return model(images), outputs


def _giving(outputs: Outputs, layers: Sequence[Layer], result: Tensor) -> list[str]:
    """The layers that give a result, to the bit."""
    return [layer.name for layer in layers if torch.equal(outputs[layer.name], result)]
