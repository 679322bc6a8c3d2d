"""Layers: a model in; out its modules in order of execution, each with its map and its cost."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from atlas.config.globs import matches
from atlas.records import Layer
from atlas.zoo.hooks import hooked

# Modules of torchvision's and timm's Swin transformers, whose 4-D outputs and those inside them are (b, h, w, c).
_CHANNELS_LAST = {
    "Linear",
    "LayerNorm",
    "PatchMerging",
    "PatchMergingV2",
    "ShiftedWindowAttention",
    "ShiftedWindowAttentionV2",
    "SwinTransformerBlock",
    "SwinTransformerBlockV2",
    "SwinTransformerStage",
    "SwinTransformerV2Block",
    "SwinTransformerV2Stage",
}


def as_map(output: object, channels_last: bool = False) -> Float[Tensor, "b c h w"] | None:
    """A module's output as activation maps, or None where it is none.

    (b, c, h, w) is one already, or (b, h, w, c) if channels_last; features (b, c) get h = w = 1; tokens (b, t, c)
    lie along h, with w = 1. Tuples, dicts and anything else are no maps.
    """
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    match output.ndim:
        case 4:
            return output.permute(0, 3, 1, 2) if channels_last else output
        case 3:
            return output.transpose(1, 2).unsqueeze(3)
        case 2:
            return output[:, :, None, None]
    return None


def channels_last(model: nn.Module) -> frozenset[str]:
    """Names of modules whose 4-D outputs are (b, h, w, c). No shape shows that; the module's class does.

    The classes are those of Swin transformers. In other models that keep channels last, only linear layers and layer
    norms are recognised.
    """
    names: set[str] = set()
    modules = dict(model.named_modules())
    for name, module in modules.items():
        inside = name.rpartition(".")[0] in names and not isinstance(module, _ConvNd)
        permutes = getattr(module, "dims", None) == [0, 2, 3, 1]
        permutes = permutes or str(getattr(module, "output_fmt", "")).endswith("NHWC")
        if inside or permutes or type(module).__name__ in _CHANNELS_LAST:
            names.add(name)
    for name, module in reversed(modules.items()):  # children before parents: a chain gives what its last link gives
        links = [f"{name}.{link}".lstrip(".") for link, _ in module.named_children()]
        if isinstance(module, nn.Sequential) and links and links[-1] in names:
            names.add(name)
    return frozenset(names)


def walk(model: nn.Module, images: Float[Tensor, "b 3 h w"]) -> tuple[Layer, ...]:
    """Every module that gives a map per image, in the order in which one forward pass of `images` completes them.

    model: in eval mode; it is left as it was. images: two or more, so that outputs which are not per image (windows,
    position embeddings) differ from those that are. A module that is called again is read at its first call.
    Multiply-adds are those of convolutions, linear layers and torch's own attention; what other modules compute by
    functions, as the products of queries, keys and values, is left out. Zones are empty.
    """
    tally = _Tally(len(images), channels_last(model))
    with hooked({name: module for name, module in model.named_modules() if name}, tally.visit), torch.no_grad():
        model(images)
    return tuple(tally.layers)


def choose(layers: Sequence[Layer], globs: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that any glob matches, in order of execution, and the globs that match nothing."""
    globs = list(globs)
    names = tuple(layer.name for layer in layers if any(matches(layer.name, glob) for glob in globs))
    idle = tuple(glob for glob in globs if not any(matches(name, glob) for name in names))
    return names, idle


class _Tally:
    """The layers that one forward pass has completed so far, and what it has cost."""

    def __init__(self, batch: int, channels_last: frozenset[str]):
        self.batch, self.channels_last = batch, channels_last
        self.macs = self.bytes = 0
        self.layers: list[Layer] = []
        self.seen: set[str] = set()

    def visit(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        self.macs += _macs(module, inputs, output) // self.batch
        if isinstance(output, Tensor) and next(module.children(), None) is None:
            self.bytes += 4 * output.numel() // self.batch
        maps = as_map(output, name in self.channels_last)
        if maps is None or len(maps) != self.batch or name in self.seen:
            return
        self.seen.add(name)
        _, channels, height, width = maps.shape
        kind, index = type(module).__name__, len(self.layers)
        self.layers.append(Layer(name, index, kind, channels, height, width, "", self.macs, self.bytes))


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
