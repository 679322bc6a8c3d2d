"""The loop: gradient descent on a batch of images through the octaves of a recipe, each image as if it were alone."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.optvis.objectives import Objective, Reading
from atlas.optvis.priors import blur, resize, unit_rms
from atlas.optvis.rescue import OpenReLUs

PATIENCE = 16  # steps without any gradient after which a feature counts as dead (lucid redirects for as many)
GRAY = 0.5  # how a dead feature is drawn


@dataclass
class Result:
    """Finished images, in the order of the start, with how they came to be."""

    images: Float[Tensor, "b 3 h w"]  # as optimised, unclamped; dead ones gray
    status: list[str]  # ok, dead, or nonfinite
    trace: list[list[float]]  # score of the target every `trace_every` steps
    steps: list[int]  # spent on each image


@dataclass
class _Batch:
    """The images still at work, and what is known of all of them."""

    images: Tensor
    which: Tensor  # their places in the start
    touched: Tensor  # whether a gradient has ever reached them
    step: int = 0
    rows: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # (which, score) along the way
    status: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)


def optimize(objective: Objective, start: Float[Tensor, "b 3 h w"], recipe: RecipeConfig) -> Result:
    """Make images that drive an objective, by METHODS §1: step, blur, clamp; octave after octave.

    `start` is kept as it is; images lie in memory as it does (channels last: the blur takes a seventh of the time on a
    CPU; contiguous: the arithmetic is the sources', to the bit). Every octave of `recipe` has its size and steps filled
    in. Images without any gradient for PATIENCE steps are dead and leave the batch, as do those no longer finite.
    """
    count = len(start)
    batch = _Batch(
        images=start.clone(),
        which=torch.arange(count, device=start.device),
        touched=torch.zeros(count, dtype=torch.bool, device=start.device),
        status=["ok"] * count,
        steps=[0] * count,
    )
    for octave in recipe.octaves:
        if len(batch.which) and octave.size is not None:
            batch.images = resize(batch.images, octave.size)
        for place in range(octave.steps or 0):
            if len(batch.which):
                _step(batch, objective, recipe, octave, place)
        _drop(batch, ~batch.images.flatten(1).isfinite().all(1), "nonfinite")
    _drop(batch, ~batch.touched, "dead")
    return _collect(batch, recipe.octaves[-1].size or start.shape[-1])


def _step(batch: _Batch, objective: Objective, recipe: RecipeConfig, octave: OctaveConfig, place: int) -> None:
    gradient, reading = _gradient(objective, batch.images, batch.which)
    if batch.step <= patience(recipe):
        gradient = _watch(batch, objective, recipe, gradient)
    if batch.step % recipe.trace_every == 0:
        batch.rows.append((batch.which, reading.score.detach()))
    if recipe.gradient == "rms":
        gradient = unit_rms(gradient)
    images = batch.images - between(octave.lr, place, octave.steps or 1) * gradient
    if octave.sigma is not None:
        images = blur(images, between(octave.sigma, place, octave.steps or 1))
    batch.images = images.clamp(0.0, 1.0) if recipe.clamp else images
    batch.step += 1
    if batch.step == patience(recipe) + 1:
        _drop(batch, ~batch.touched, "dead")


def patience(recipe: RecipeConfig) -> int:
    """Steps that a feature without any gradient is given: as many as its rescue lasts, at least."""
    return max(PATIENCE, recipe.rescue)


def between(ends: list[float], place: int, steps: int) -> float:
    """The source's schedule: (start·(n − i) + end·i) / n at step i of n, so the end itself is never reached."""
    start, end = ends
    return start * (steps - place) / steps + end * place / steps


def _gradient(objective: Objective, images: Tensor, which: Tensor) -> tuple[Tensor, Reading]:
    """Gradient of each image's own loss: losses are summed over the batch, never averaged."""
    leaf = images.detach().requires_grad_(True)
    with torch.enable_grad():
        reading = objective(leaf, which)
        if not reading.loss.requires_grad:  # the layer does not depend on the image at all
            return torch.zeros_like(leaf), reading
        (gradient,) = torch.autograd.grad(reading.loss.sum(), leaf)
    return gradient, reading


def _watch(batch: _Batch, objective: Objective, recipe: RecipeConfig, gradient: Tensor) -> Tensor:
    """Note which images a gradient has reached; for the first steps, open the ReLUs for the others."""
    silent = gradient.flatten(1).abs().amax(1) == 0
    batch.touched |= ~silent
    if batch.step >= recipe.rescue or not silent.any():
        return gradient
    with OpenReLUs():
        opened, _ = _gradient(objective, batch.images[silent], batch.which[silent])
    return gradient.masked_scatter(silent.view(-1, 1, 1, 1).expand_as(gradient), opened)


def _drop(batch: _Batch, gone: Bool[Tensor, " b"], status: str) -> None:
    """Take images out of the batch, for good."""
    if not gone.any():
        return
    for place in batch.which[gone].tolist():
        batch.status[place], batch.steps[place] = status, batch.step
    batch.images, batch.which, batch.touched = batch.images[~gone], batch.which[~gone], batch.touched[~gone]


def _collect(batch: _Batch, size: int) -> Result:
    count = len(batch.status)
    images = torch.full((count, 3, size, size), GRAY, dtype=batch.images.dtype, device=batch.images.device)
    if len(batch.which):
        images[batch.which] = batch.images
    trace: list[list[float]] = [[] for _ in range(count)]
    for which, score in batch.rows:
        for place, value in zip(which.tolist(), score.tolist(), strict=True):
            trace[place].append(value)
    for place in batch.which.tolist():
        batch.steps[place] = batch.step
    return Result(images, batch.status, trace, batch.steps)
