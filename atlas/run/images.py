"""A batch of images of one layer, made and measured: what a worker does with a shard and `atlas.visualize` with a model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from atlas.config.schema import RecipeConfig
from atlas.optvis.objectives import FeatureObjective, Forward
from atlas.optvis.optimize import optimize


@dataclass
class Made:
    """Finished images of one layer, and what the network says of them."""

    images: Float[Tensor, "b 3 h w"]  # as optimised, unclamped
    status: list[str]  # ok, dead, or nonfinite
    scores: Float[Tensor, " b"]  # mean activation of the target on the finished image
    losses: Float[Tensor, " b"]
    activations: Float[Tensor, "b c"]  # mean activation of every channel of the layer on the finished image
    trace: list[list[float]]  # score every `trace_every` steps, the start first
    steps: list[int]


def make_images(objective: FeatureObjective, start: Float[Tensor, "b 3 h w"], recipe: RecipeConfig) -> Made:
    """Optimise, then read the network once more on the finished images."""
    with precision(recipe.precision):
        result = optimize(objective, start, recipe)
        everyone: Int[Tensor, " b"] = torch.arange(len(start), device=start.device)
        with torch.no_grad():
            maps = objective.forward(result.images)
            reading = objective.judge(maps, everyone)
    activations = maps[objective.layer].mean((2, 3))
    finite = reading.loss.isfinite() & reading.score.isfinite() & activations.isfinite().all(1)
    return Made(
        images=result.images,
        status=[said if fine else "nonfinite" for said, fine in zip(result.status, finite.tolist(), strict=True)],
        scores=reading.score.float(),
        losses=reading.loss.float(),
        activations=activations,
        trace=result.trace,
        steps=result.steps,
    )


def alone(recipe: RecipeConfig, device: str) -> bool:
    """Whether images are better made one at a time: the sources' fixed rates on a CPU.

    Raw descent amplifies rounding (1e-7 becomes 0.1 in 300 steps on a trained network), and convolutions round
    differently in a batch; alone, each image is the sources' own, and at their sizes a CPU is as fast that way.
    """
    return recipe.gradient == "raw" and device == "cpu"


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
