"""The truncated forward: images in, the maps of the wanted layers out; nothing runs after the last."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.mistakes import nearest
from atlas.zoo.hooks import hooked
from atlas.zoo.layers import as_map, channels_last


class _Reached(BaseException):
    """Every wanted layer was reached. Not an Exception, so that no model catches it."""


class Forward:
    """images (b, 3, h, w) → {layer: maps (b, c, h, w)}, with gradients to the images, on the model's device.

    Maps are as `as_map` makes them, and of a layer's first call. The model is run as it is: put it in eval mode.
    """

    def __init__(self, model: nn.Module, layers: Iterable[str]):
        """ValueError: the model has no such layer, with the nearest names, or no layer was asked for."""
        self.model = model
        self.layers = tuple(dict.fromkeys(layers))
        modules = {name: module for name, module in model.named_modules() if name}
        unknown = [name for name in self.layers if name not in modules]
        if unknown or not self.layers:
            kind = type(model).__name__
            mistakes = [f"no layer {name!r} in {kind}; {nearest(name, modules)}" for name in unknown]
            raise ValueError("\n".join(mistakes) if unknown else "no layer was asked for")
        self._modules = {name: modules[name] for name in self.layers}
        self._channels_last = channels_last(model)

    def __call__(self, images: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b _ _ _"]]:
        """Run the model. ValueError: a layer gives no map per image; RuntimeError: a layer is never reached."""
        maps: dict[str, Tensor] = {}
        try:
            with hooked(self._modules, partial(self._keep, maps, len(images))):
                self.model(images)
        except _Reached:
            return {name: maps[name] for name in self.layers}
        missed = ", ".join(name for name in self.layers if name not in maps)
        raise RuntimeError(f"a forward pass of {type(self.model).__name__} never reaches {missed}")

    def _keep(
        self, maps: dict[str, Tensor], batch: int, name: str, module: nn.Module, inputs: Any, output: object
    ) -> None:
        if name in maps:
            return
        own = as_map(output, name in self._channels_last)
        if own is None or len(own) != batch:
            what = f"{tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(f"layer {name!r} gives {what}, not a map for each of {batch} images")
        last = len(maps) + 1 == len(self.layers)
        maps[name] = own if last else own.clone()  # what runs next may write into it: F.relu(inplace=True)
        if last:
            raise _Reached


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """The model in eval mode; afterwards every module is back in its own mode."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def takes(forward: Callable[[Tensor], Any], size: int, like: Tensor) -> bool:
    """Whether a model runs on images of some size: transformers and fixed classifiers often take only their own."""
    try:
        with torch.no_grad():
            forward(like.new_zeros(1, 3, size, size))
    except Exception:  # other people's code says no in its own way
        return False
    return True


def activation_bytes(forward: Forward, images: Float[Tensor, "b 3 h w"]) -> int:
    """Bytes that the modules within a model leave behind for each image, up to the last layer of a forward pass."""
    total = 0

    def count(name: str, module: nn.Module, inputs: Any, output: object) -> None:
        nonlocal total
        if isinstance(output, Tensor):
            total += output.numel() * output.element_size() // len(images)

    modules = forward.model.named_modules()
    leaves = {name: module for name, module in modules if next(module.children(), None) is None}
    with hooked(leaves, count), torch.no_grad():
        forward(images)
    return total
