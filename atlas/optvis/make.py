"""A batch of images of one layer, made and measured: what a worker does with a shard and `atlas.visualize` with a model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from atlas.config.schema import RecipeConfig
from atlas.optvis.batch import Keep
from atlas.optvis.objectives import FeatureObjective, Forward
from atlas.optvis.optimize import NOTHING, optimize
from atlas.optvis.params import GRAY, Param, fourier, noise, phases, pixels
from atlas.optvis.spaces import RAW, Space
from atlas.optvis.transforms import Streams


@dataclass
class FinishedImages:
    """Finished images of one layer, and what the network says of them."""

    images: Float[Tensor, "b 3 h w"]  # RGB, not clamped where they were not
    status: list[str]  # ok, dead, or nonfinite
    scores: Float[Tensor, " b"]  # mean activation of the target on the finished image
    losses: Float[Tensor, " b"]
    activations: Float[Tensor, "b c"]  # mean activation of every channel of the layer on the finished image
    trace: list[list[float]]  # score every `trace_every` steps, the start first
    steps: list[int]
    means: list[list[Tensor]]  # (c,) mean activation of every channel as often, where it was asked for
    frames: list[list[tuple[int, Tensor]]]  # (step, RGB (3, h, w)), where they were asked for


def begin(recipe: RecipeConfig, seeds: Sequence[int], space: Space, picture: Tensor | None = None) -> Param:
    """What images begin as: noise, a picture (3, h, w) that all share, Fourier coefficients or phases."""
    size, (first, second) = recipe.octaves[0].size or 0, recipe.start
    match recipe.param:
        case "fourier":
            return fourier(seeds, size, first, second)
        case "phases":
            return phases(seeds, size, first, second, recipe.amplitudes)
    rgb = noise(seeds, size, first, second) if picture is None else picture.expand(len(seeds), -1, -1, -1)
    return pixels(space.enter(rgb), space.gray(GRAY, rgb))


def placed(param: Param, where: torch.device, layout: torch.memory_format, dtype: torch.dtype = torch.float32) -> Param:
    """On a device, in a precision; pixels lie in memory as asked."""
    values = param.values.to(where, dtype)
    values = values.contiguous(memory_format=layout) if values.ndim == 4 else values
    return replace(param, values=values, gray=param.gray.to(values) if isinstance(param.gray, Tensor) else param.gray)


def make_images(
    objective: FeatureObjective,
    param: Param,
    recipe: RecipeConfig,
    *,
    space: Space = RAW,
    seeds: Sequence[int] = (),
    keep: Keep = NOTHING,
) -> FinishedImages:
    """Optimise, then read the network once more on the finished images. seeds: what transforms draw from."""
    where = param.values.device
    with precision(recipe.precision):
        result = optimize(objective, param, recipe, Streams(seeds, where) if seeds else None, keep=keep)
        everyone: Int[Tensor, " b"] = torch.arange(len(param.values), device=where)
        with torch.no_grad():
            reading = objective(result.images, everyone)
    assert reading.maps is not None
    activations = reading.maps.mean((2, 3))
    finite = reading.loss.isfinite() & reading.score.isfinite() & activations.isfinite().all(1)
    return FinishedImages(
        images=space.show(result.images),
        status=[said if fine else "nonfinite" for said, fine in zip(result.status, finite.tolist(), strict=True)],
        scores=reading.score.float(),
        losses=reading.loss.float(),
        activations=activations,
        trace=result.trace,
        steps=result.steps,
        means=result.means,
        frames=[[(step, space.show(one[None])[0]) for step, one in some] for some in result.frames],
    )


def alone(recipe: RecipeConfig, device: str) -> bool:
    """Whether images are better made one at a time: the sources' and the lab's raw pixels on a CPU.

    Raw descent amplifies rounding (1e-7 becomes 0.1 in 300 steps on a trained network), and convolutions round
    differently in a batch; alone, each image is the sources' own, and at their sizes a CPU is as fast that way.
    """
    return recipe.gradient == "raw" and recipe.param == "pixels" and device == "cpu"


def seen_in(name: str, forward: Forward) -> Forward:
    """The network as a precision has it: under bfloat16 its own arithmetic only, the image and its loss stay as they are."""
    if name != "bfloat16":
        return forward

    def seen(images: Tensor) -> dict[str, Tensor]:
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            maps = forward(images)
        return {layer: one.float() for layer, one in maps.items()}

    return seen


@contextmanager
def precision(name: str) -> Iterator[None]:
    """float32 to the letter, or tf32 (tensor cores' float32) in matrix products and convolutions."""
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = torch.get_float32_matmul_precision(), convolutions.fp32_precision
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    convolutions.fp32_precision = "tf32" if name == "tf32" else "ieee"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        convolutions.fp32_precision = before[1]
