"""Variants of PatternNet to compare it with, permuted or rotated copies,
and their responses to drawn pictures.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor, nn

from atlas.config.schema import ModelConfig
from atlas.selftest.planted import Planted
from atlas.zoo.drawings import sample
from atlas.zoo.load import Loaded, load

Responses = Mapping[str, Float32[np.ndarray, "n c"]]  # of each layer, to the same pictures
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "conv6")
PICTURES = 200


@cache
def shipped() -> Loaded:
    """PatternNet as it is shipped."""
    return load("patternnet", ModelConfig(source="patternnet"))


def untrained(seed: int) -> Loaded:
    """PatternNet with random weights."""
    return load("untrained", ModelConfig(source="patternnet", weights="none", seed=seed))


def shipped_responses(seed: int = 0) -> Responses:
    """The responses of PatternNet as it is shipped, which several checks compare with: computed once."""
    return _shipped_responses(LAYERS, seed)


@cache
def _shipped_responses(layers: tuple[str, ...], seed: int) -> Responses:
    return _responses(shipped(), layers, seed)


def responses(net: Loaded) -> Responses:
    """Mean activations on drawn pictures, the same for every net."""
    return _responses(net, LAYERS, seed=0)


def _responses(net: Loaded, layers: tuple[str, ...], seed: int) -> Responses:
    with torch.no_grad():
        maps = net.forward(layers)(net.preprocess(_pictures(seed)))
    return {layer: values.mean((2, 3)).numpy() for layer, values in maps.items()}


@cache
def _pictures(seed: int) -> Float[Tensor, "n 3 h w"]:
    return sample(PICTURES, torch.Generator().manual_seed(seed))[0]


def permuted(model: nn.Module, layer: str, order: Int[np.ndarray, "c"]) -> nn.Module:
    """A PatternNet that computes the same with the channels of one layer in another order."""
    copy: Any = deepcopy(model)
    block, following = copy.get_submodule(layer), copy.get_submodule(LAYERS[LAYERS.index(layer) + 1])
    norm = block.norm
    with torch.no_grad():
        for values in (block.conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var):
            values.copy_(values[order].clone())
        following.conv.weight.copy_(following.conv.weight[:, order].clone())
    return copy


def rotation(random: np.random.Generator, channels: int) -> Float32[np.ndarray, "c c"]:
    """An orthogonal matrix."""
    return np.linalg.qr(random.normal(size=(channels, channels)))[0].astype(np.float32)


def as_planted(models: Mapping[str, Responses], made_for: Sequence[str] = ()) -> Planted:
    """Responses of several models to the same pictures; made_for: the feature that each picture was made for, if any."""
    columns = {
        f"{model}/{layer}:{channel}": values[:, channel]
        for model, layers in models.items()
        for layer, values in layers.items()
        for channel in range(values.shape[1])
    }
    addresses = sorted(columns)
    values = np.stack([columns[address] for address in addresses], axis=1)
    numbers = {address: number for number, address in enumerate(addresses)}
    features = np.array([numbers[address] for address in made_for]) if made_for else np.full(len(values), -1)
    return Planted(addresses, values, features, source=np.zeros(len(values), int), unit=np.arange(len(addresses)))
