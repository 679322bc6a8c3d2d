"""`atlas.visualize`: images of any nn.Module, made by the same code as an atlas's, without Ray or files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from atlas.config.mistakes import nearest
from atlas.config.recipe_files import own_metric, read_recipe
from atlas.config.schema import RecipeConfig
from atlas.generate.recipe_inputs import read_material, read_start
from atlas.optvis.make import FinishedImages, alone, begin, make_images, placed, seen_in
from atlas.optvis.metrics import CONSTANT, METRICS
from atlas.optvis.objectives import FeatureObjective
from atlas.optvis.params import GRAY, Param, pixels
from atlas.optvis.spaces import Space, space_of
from atlas.records import Item, Target
from atlas.store.images import to_pil
from atlas.sweep.identity import noise_seed
from atlas.sweep.recipe_fit import fit_recipe
from atlas.sweep.shards import shown_size
from atlas.sweep.targets import make_target
from atlas.zoo.forward import Forward, takes

TOGETHER = 16  # images optimised at once


@dataclass(frozen=True)
class Visualization:
    """Images of some channels of one layer, and what the network says of them."""

    images: Float[Tensor, "b 3 h w"]  # RGB as optimised, unclamped
    scores: Float[Tensor, " b"]  # mean activation of the target on the finished image
    activations: Float[Tensor, "b c"]  # mean activation of every channel of the layer
    losses: Float[Tensor, " b"]
    status: list[str]  # ok or dead; nonfinite where the image diverged
    trace: list[list[float]]  # score along the way, the start first

    def pil(self) -> list[Image.Image]:
        """The images as 8-bit RGB, clipped to [0, 1]."""
        return [to_pil(image) for image in self.images.float().cpu().numpy()]


def visualize(
    model: nn.Module,
    layer: str,
    channels: int | Sequence[int],
    *,
    metric: str | None = None,
    recipe: str | RecipeConfig = "normalized",
    octaves: Sequence[Mapping[str, Any]] | None = None,
    target: str | Mapping[str, Any] | Target = "channel",
    constant: float = CONSTANT,
    seed: int = 0,
    start: Tensor | None = None,
    device: str | torch.device | None = None,
    input_size: int = 224,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Visualization:
    """See `atlas.visualize`. ValueError or ConfigError name what is wrong and what is allowed."""
    wanted = _wanted(channels)
    settings = _settings(recipe, octaves, input_size, start)
    aim = _target(target)
    chosen = metric if metric is not None else own_metric(recipe if isinstance(recipe, str) else recipe.name)
    if chosen not in METRICS:
        raise ValueError(f"metric={chosen!r}: no such metric; {nearest(chosen, METRICS)}")
    _check_start(start, len(wanted), settings)
    space = space_of(settings.space, _scale(mean, std))
    seeds = [noise_seed(layer, Item(channel, seed)) for channel in wanted]
    with _as_evaluated(model, device) as where:
        cut = Forward(model, [layer, *(partner.layer for partner in aim.features)])
        dtype = next((p.dtype for p in model.parameters()), torch.float32)
        size = input_size if start is None else max(start.shape[-2:])
        if not _fits(cut, settings, size, torch.empty(0, device=where, dtype=dtype)):
            settings = _settings(recipe, octaves, input_size, start, grows=False)
        forward: Any = seen_in(settings.precision, lambda images: cut(space.feed(images)))
        made = []
        for i in range(0, len(wanted), together := 1 if alone(settings, where.type) else TOGETHER):
            some, own = torch.tensor(wanted[i : i + together], device=where), seeds[i : i + together]
            param = _param(settings, own, space, None if start is None else start[i : i + together])
            param = placed(param, where, torch.contiguous_format, dtype)
            if not made:
                _check_channels(
                    forward, [*((layer, channel) for channel in wanted), *(one[1:] for one in aim.features)], param
                )
            objective = FeatureObjective(forward, layer, some, target=aim, metric=chosen, constant=constant)
            made.append(make_images(objective, param, settings, space=space, seeds=own))
    return _joined(made)


def _param(recipe: RecipeConfig, seeds: list[int], space: Space, start: Tensor | None) -> Param:
    """What images begin as: what was given, or what the recipe says."""
    if start is not None:
        return pixels(space.enter(start), space.gray(GRAY, start))
    picture = None
    if recipe.param == "pixels" and recipe.picture is not None:
        found = np.asarray(read_start(recipe.picture.rpartition("@")[0])).copy()
        picture = torch.from_numpy(found).permute(2, 0, 1) / 255.0
    return begin(recipe, seeds, space, picture)


def _wanted(channels: int | Sequence[int]) -> list[int]:
    wanted: list[Any] = [channels] if isinstance(channels, Integral) else list(channels)  # type: ignore[arg-type]
    if not wanted or any(isinstance(channel, bool) or not isinstance(channel, Integral) for channel in wanted):
        raise ValueError(f"channels={channels!r}: a channel or a list of channels is wanted, as 5 or [0, 5]")
    return [int(channel) for channel in wanted]


def _check_start(start: Tensor | None, count: int, recipe: RecipeConfig) -> None:
    if start is None:
        return
    shape = tuple(start.shape)
    if recipe.param != "pixels":
        raise ValueError(f"start: recipe {recipe.name} makes images of {recipe.param}; one of pixels can have a start")
    if len(shape) != 4 or shape[:2] != (count, 3) or 0 in shape:
        raise ValueError(f"start has shape {shape}; one image for each channel is wanted, ({count}, 3, h, w)")


def _settings(
    recipe: str | RecipeConfig,
    octaves: Sequence[Mapping[str, Any]] | None,
    input_size: int,
    start: Tensor | None,
    *,
    grows: bool = True,
) -> RecipeConfig:
    changes = {} if octaves is None else {"octaves": [_plain(octave) for octave in octaves]}
    settings = read_recipe(recipe, **changes) if isinstance(recipe, str) else recipe
    if start is not None:  # it takes the place of any picture
        return fit_recipe(replace(settings, picture=None), "model", input_size=max(start.shape[-2:]), grows=grows)
    return fit_recipe(settings, "model", input_size=input_size, grows=grows, material=read_material(settings))


def _fits(forward: Forward, recipe: RecipeConfig, input_size: int, like: Tensor) -> bool:
    """Whether a model takes the largest images of a recipe; transformers often take those of their own size only."""
    largest = max(map(shown_size, recipe.octaves))
    return largest == input_size or takes(forward, largest, like) or not takes(forward, input_size, like)


def _plain(octave: Mapping[str, Any]) -> dict[str, Any]:
    """An octave with its tuples as lists, which is what a config holds."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in octave.items()}


def _target(target: str | Mapping[str, Any] | Target) -> Target:
    if isinstance(target, Target):
        return target
    return make_target({"kind": target} if isinstance(target, str) else {"kind": "channel", **target})


@contextmanager
def _as_evaluated(model: nn.Module, device: str | torch.device | None) -> Iterator[torch.device]:
    """The model in eval mode and on a device, every module back in its own mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    if device is not None:
        model.to(device)
    try:
        yield next((p.device for p in model.eval().parameters()), torch.device(device or "cpu"))
    finally:
        for module, training in modes.items():
            module.training = training


def _scale(mean: Sequence[float] | None, std: Sequence[float] | None) -> Tensor:
    """(2, 3, 1, 1) of the model's input; without mean and std images are fed as they are."""
    for name, values in (("mean", mean), ("std", std)):
        if values is not None and len(values) != 3:
            raise ValueError(f"{name}={values}: three numbers are wanted, for red, green and blue")
    values = [(0.0, 0.0, 0.0) if mean is None else mean, (1.0, 1.0, 1.0) if std is None else std]
    return torch.tensor([list(map(float, one)) for one in values])[:, :, None, None]


def _check_channels(forward: Any, wanted: list[tuple[str, int]], param: Param) -> None:
    with torch.no_grad():
        counts = {name: maps.shape[1] for name, maps in forward(param.render(param.values[:1])).items()}
    for layer, count in counts.items():
        absent = [channel for name, channel in wanted if name == layer and not 0 <= channel < count]
        if absent:
            raise ValueError(f"channels={absent}: layer {layer} has {count} channels (0 to {count - 1})")


def _joined(made: list[FinishedImages]) -> Visualization:
    return Visualization(
        images=torch.cat([one.images for one in made]),
        scores=torch.cat([one.scores for one in made]),
        activations=torch.cat([one.activations for one in made]),
        losses=torch.cat([one.losses for one in made]),
        status=[status for one in made for status in one.status],
        trace=[trace for one in made for trace in one.trace],
    )
