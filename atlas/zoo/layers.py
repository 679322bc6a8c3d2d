"""Layers: a model in; out its modules in order of execution, each with its map and its cost."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from atlas.config.globs import matches
from atlas.records import REPEAT, Layer
from atlas.zoo.channel_dims import ChannelDims
from atlas.zoo.hooks import hooked


def as_map(output: object, dim: int | None) -> Float[Tensor, "b c h w"] | None:
    """A module's output as activation maps, or None where it is none.

    dim: that of the channels, as `ChannelDims` tells it. Of (b, c, h, w) or (b, h, w, c) they become the second; tokens
    (b, t, c) or (b, c, t) lie along h, with w = 1; features (b, c) get h = w = 1. Tuples, dicts, what has an unknown
    layout and anything else are no maps.
    """
    if not isinstance(output, Tensor) or not output.is_floating_point() or not dim or dim >= output.ndim:
        return None
    match output.ndim:
        case 4:
            return output.movedim(dim, 1)
        case 3:
            return output.movedim(dim, 1).unsqueeze(3)
        case 2:
            return output[:, :, None, None]
    return None


@dataclass(frozen=True)
class Walk:
    """What one forward pass of a model has shown."""

    layers: tuple[Layer, ...]  # in the order in which they were completed, each at its first call
    repeats: tuple[Layer, ...]  # their further calls, as `relu#2`
    unknown: tuple[str, ...]  # modules that give a tensor for each image in which nobody knows the channels


def walk(model: nn.Module, images: Float[Tensor, "b c h w"]) -> Walk:
    """Every module that gives a map per image, in the order in which one forward pass of `images` completes them.

    model: in eval mode; it is left as it was. images: two or more, so that outputs which are not per image (windows,
    position embeddings) differ from those that are.
    Multiply-adds are those of convolutions, linear layers and torch's own attention; what other modules compute by
    functions, as the products of queries, keys and values, is left out. Zones are empty.
    """
    dims = ChannelDims(images)
    tally = _Tally(len(images), dims)
    modules = {name: module for name, module in model.named_modules() if name}
    with hooked(modules, tally.visit), plain_attention(), dims, torch.no_grad():
        model(images)
    aliases = _aliases(model)
    layers = (
        replace(layer, calls=tally.calls[layer.name], aliases=aliases.get(layer.name, ())) for layer in tally.layers
    )
    known = {layer.name for layer in tally.layers}
    return Walk(tuple(layers), tuple(tally.repeats), tuple(name for name in tally.unknown if name not in known))


def call_of(layer: str, modules: Container[str]) -> tuple[str, int]:
    """The module that a layer is, and which of its calls: `relu#2` is the second of `relu`."""
    module, mark, number = layer.rpartition(REPEAT)
    if layer in modules or not mark or not number.isdecimal() or int(number) < 2:
        return layer, 1
    return module, int(number)


@contextmanager
def plain_attention() -> Iterator[None]:
    """torch's transformer layers as they are with gradients, module by module, and not in one function."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def choose(layers: Sequence[Layer], globs: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that any glob matches, in order of execution, and the globs that match nothing."""
    globs = list(globs)
    names = tuple(layer.name for layer in layers if any(matches(layer.name, glob) for glob in globs))
    idle = tuple(glob for glob in globs if not any(matches(name, glob) for name in names))
    return names, idle


class _Tally:
    """The layers that one forward pass has completed so far, and what it has cost."""

    def __init__(self, batch: int, dims: ChannelDims):
        self.batch, self.dims = batch, dims
        self.macs = self.bytes = 0
        self.layers: list[Layer] = []
        self.repeats: list[Layer] = []
        self.unknown: dict[str, None] = {}
        self.calls: Counter[str] = Counter()

    def visit(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        self.macs += _macs(module, inputs, output) // self.batch
        self.calls[name] += 1
        if not isinstance(output, Tensor):
            return
        if next(module.children(), None) is None:
            self.bytes += 4 * output.numel() // self.batch
        if not output.is_floating_point() or output.ndim not in (2, 3, 4) or len(output) != self.batch:
            return
        maps = as_map(output, self.dims.of(module, inputs, output))
        if maps is None:
            self.unknown[name] = None
            return
        _, channels, height, width = maps.shape
        first = self.calls[name] == 1
        layers, call = (self.layers, name) if first else (self.repeats, f"{name}{REPEAT}{self.calls[name]}")
        kind, index = type(module).__name__, len(self.layers)
        layers.append(Layer(call, index, kind, channels, height, width, "", self.macs, self.bytes))


def _aliases(model: nn.Module) -> dict[str, tuple[str, ...]]:
    """The further names of modules that are registered under several."""
    first: dict[nn.Module, str] = {}
    others: dict[str, tuple[str, ...]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        own = first.setdefault(module, name)
        if own != name:
            others[own] = (*others.get(own, ()), name)
    return others


def _macs(module: nn.Module, inputs: tuple[Any, ...], output: object) -> int:
    """Multiply-adds of one call: each value of the larger side meets one filter, which has its group's inputs only."""
    if isinstance(module, nn.MultiheadAttention) and inputs:
        batch, tokens, width = inputs[0].shape if module.batch_first else inputs[0].transpose(0, 1).shape
        return batch * tokens * width * (4 * width + 2 * tokens)
    if not isinstance(output, Tensor):
        return 0
    if isinstance(module, _ConvTransposeNd):
        return inputs[0].numel() * module.weight[0].numel()
    if isinstance(module, _ConvNd | nn.Linear):
        return output.numel() * module.weight[0].numel()
    return 0
