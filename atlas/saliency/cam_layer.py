"""The layer that Grad-CAM reads: a model and perhaps a name in; a layer whose maps have positions that matter, out."""

from math import isqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.records import Layer
from atlas.zoo.card import stages
from atlas.zoo.channel_dims import ChannelDims
from atlas.zoo.foreign import foreign
from atlas.zoo.hooks import hooked
from atlas.zoo.layers import as_map, plain_attention, walk
from atlas.zoo.load import Loaded

PREFIX = 8  # tokens before those of patches, at most: a class token, a distilled one, registers (timm's have up to 5)


class GradientPass:
    """One forward pass of a model with gradients, and what some of its layers gave on the way."""

    def __init__(self, loaded: Loaded, layers: list[str], images: Float[Tensor, "b c h w"]) -> None:
        """images: preprocessed. RuntimeError where a layer is not reached."""
        self.outputs: dict[str, Tensor] = {}
        self._dims: dict[str, int | None] = {}
        modules = {name: loaded.model.get_submodule(name) for name in layers}
        with torch.enable_grad():
            copy = images.detach().clone().requires_grad_().clone()
            self._following = ChannelDims(copy)
            with hooked(modules, self._keep), plain_attention(), self._following:
                self.logits = loaded.logits(copy)
        missed = [name for name in layers if name not in self.outputs]
        if missed:
            raise RuntimeError(f"a forward pass of models.{loaded.name} never reaches {', '.join(missed)}")

    def _keep(self, name: str, module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        if name in self.outputs:
            return None
        self.outputs[name] = output
        self._dims[name] = self._following.of(module, inputs, output)
        return output.clone()  # what runs next may write into it: F.relu(inplace=True)

    def gradients(self, scores: Float[Tensor, " b"]) -> dict[str, Float[Tensor, "b c h w"]]:
        """∂ score / ∂ map of every layer; 0 where the score does not depend on it."""
        outputs = list(self.outputs.values())
        parts = torch.autograd.grad(scores.sum(), outputs, materialize_grads=True)
        return {name: self._map(name, part) for name, part in zip(self.outputs, parts, strict=True)}

    def map(self, name: str) -> Float[Tensor, "b c h w"]:
        """What a layer gave."""
        return self._map(name, self.outputs[name].detach())

    def _map(self, name: str, output: Tensor) -> Tensor:
        maps = as_map(output, self._dims[name])
        assert maps is not None, "only layers that `walk` lists are read"
        return _on_grid(maps) if output.ndim == 3 else maps


def cam_layer(loaded: Loaded, name: str | None) -> str:
    """The layer that was asked for; by itself, the last one with maps of more than one position that scores hang on.

    Of a transformer it is the last such stage: behind its last block scores hang on the class token alone. ConfigError
    where there is no such layer.
    """
    size = loaded.input_size
    draw = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)).to(loaded.device)
    images = loaded.preprocess(draw)
    with foreign(loaded.name, "has layers that cannot be read"):
        layers = walk(loaded.model, images).layers
    if name is not None:
        _check(loaded, name, layers)
        return name
    wide = tuple(layer for layer in layers if layer.height * layer.width > 1)
    if not wide:
        raise ConfigError([f"method=grad_cam: {loaded.name} has no layer with maps larger than 1 x 1"])
    return _last_that_matters(loaded, wide, images[:1])


def _last_that_matters(loaded: Loaded, wide: tuple[Layer, ...], image: Float[Tensor, "1 3 h w"]) -> str:
    """The last layer at more than one position of which the highest score hangs, if at any; of a transformer, a stage."""
    tokens = any(layer.width == 1 for layer in wide)
    names = list(stages(loaded.model, wide)) if tokens else [layer.name for layer in wide]
    gradient_pass = GradientPass(loaded, names, image)
    gradients = gradient_pass.gradients(gradient_pass.logits.amax(1))
    return next((name for name in reversed(names) if gradients[name].abs().sum(1).count_nonzero() > 1), names[-1])


def _check(loaded: Loaded, name: str, layers: tuple[Layer, ...]) -> None:
    by_name = {layer.name: layer for layer in layers}
    if name not in by_name:
        raise ConfigError([f"layer={name}: {loaded.name} has no such layer; {nearest(name, by_name)}"])
    layer = by_name[name]
    if layer.height * layer.width == 1:
        wanted = "Grad-CAM wants a layer with more positions"
        raise ConfigError([f"layer={name}: its maps of {loaded.name} are 1 x 1; {wanted}"])


def _on_grid(maps: Float[Tensor, "b c t 1"]) -> Float[Tensor, "b c h w"]:
    """Tokens of patches as the square that they were cut from, without the tokens before them."""
    side = isqrt(maps.shape[2])
    before = maps.shape[2] - side**2
    return maps[:, :, before:].unflatten(2, (side, side))[..., 0] if before <= PREFIX else maps
