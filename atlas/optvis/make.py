"""The one assembly of an image: a forward pass, an objective and a recipe in; finished images, and their readings, out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from atlas.config.schema import RecipeConfig
from atlas.optvis.batch import Keep, Moment, Result
from atlas.optvis.objectives import Objective, Reading
from atlas.optvis.optimize import NOTHING, optimize
from atlas.optvis.params import GRAY, Param, pixels
from atlas.optvis.precision import Forward, precision, with_precision
from atlas.optvis.schedule import schedule_of
from atlas.optvis.spaces import Space, space_of
from atlas.optvis.start import start
from atlas.optvis.transforms import Streams


@dataclass
class FinishedImages:
    """Finished images of one layer, and what the network says of them."""

    images: Float[Tensor, "b colours h w"]  # RGB, not clamped where they were not
    status: list[str]  # ok, dead, or nonfinite
    scores: Float[Tensor, " b"]  # mean activation of the target on the finished image
    losses: Float[Tensor, " b"]
    activations: Float[Tensor, "b c"]  # mean activation of every channel of the layer on the finished image
    trace: list[list[float]]  # score every `trace_every` steps, the start first
    steps: list[int]
    means: list[list[Tensor]]  # (c,) mean activation of every channel as often, where it was asked for
    frames: list[list[tuple[int, Tensor]]]  # (step, RGB (c, h, w)), where they were asked for


@dataclass(frozen=True)
class Canvas:
    """What images are made on: the range that their model takes, where they lie, and what they begin as."""

    scale: Float[Tensor, "2 c 1 1"]  # mean and deviation of the model's input, RGB or gray in [0, 1]
    device: torch.device
    layout: torch.memory_format = torch.channels_last  # of pixels: as the model's weights lie
    picture: Float[Tensor, "c h w"] | None = None  # in [0, 1], what all images begin as, instead of noise
    pictures: Float[Tensor, "b c h w"] | None = None  # the same, one for each


def make_images(
    forward: Forward,
    objective: Objective,
    recipe: RecipeConfig,
    *,
    seeds: Sequence[int],
    canvas: Canvas,
    keep: Keep = NOTHING,
    fixed: bool = False,
    fused: bool = False,
) -> FinishedImages:
    """Make an image for each seed, then read the network once more on the finished images.

    forward: images as the model takes them -> maps of the objective's layers. recipe: every size and step filled in.
    seeds: each image's own, which noise and transforms draw from. fixed: no image leaves the batch before the end.
    fused: what follows a step's gradient is one kernel by torch's compiler, which rounds otherwise.
    """
    space = space_of(recipe.space, canvas.scale)
    seen = with_precision(recipe.precision, lambda images: forward(space.feed(images)))

    def judge(images: Tensor, which: Tensor) -> Reading:
        return objective.read(seen(images), which)

    param = _start(recipe, seeds, space, canvas)
    with precision(recipe.precision):
        streams, shown = Streams(seeds, canvas.device), _showing(keep, space)
        result = optimize(judge, param, schedule_of(recipe), streams, keep=shown, fixed=fixed, fused=fused)
        everyone: Int[Tensor, " b"] = torch.arange(len(seeds), device=canvas.device)
        with torch.no_grad():
            reading = judge(result.images, everyone)
    return _finished(result, reading, space)


def _start(recipe: RecipeConfig, seeds: Sequence[int], space: Space, canvas: Canvas) -> Param:
    """What images begin as, on the canvas's device and laid out as it says."""
    if canvas.pictures is None:
        param = start(recipe, seeds, space, channels=canvas.scale.shape[1], picture=canvas.picture)
    else:
        param = pixels(space.enter(canvas.pictures), space.gray(GRAY, canvas.pictures))
    values = param.values.to(canvas.device, torch.float32)
    values = values.contiguous(memory_format=canvas.layout) if values.ndim == 4 else values
    return replace(param, values=values, gray=param.gray.to(values) if isinstance(param.gray, Tensor) else param.gray)


def _showing(keep: Keep, space: Space) -> Keep:
    """The same, where whoever watches is shown frames in RGB."""
    watch = keep.watch
    if watch is None:
        return keep

    def tell(moment: Moment) -> None:
        watch(moment if moment.frame is None else replace(moment, frame=space.show(moment.frame)))

    return replace(keep, watch=tell)


def _finished(result: Result, reading: Reading, space: Space) -> FinishedImages:
    assert reading.maps is not None
    activations = reading.maps.mean((2, 3))
    finite = reading.loss.isfinite() & reading.score.isfinite() & activations.isfinite().all(1)
    return FinishedImages(
        images=space.show(result.images),
        status=[state if fine else "nonfinite" for state, fine in zip(result.status, finite.tolist(), strict=True)],
        scores=reading.score.float(),
        losses=reading.loss.float(),
        activations=activations,
        trace=result.trace,
        steps=result.steps,
        means=result.means,
        frames=[[(step, space.show(frame[None])[0]) for step, frame in frames] for frames in result.frames],
    )


def may_fold(recipe: RecipeConfig) -> bool:
    """Whether batch norms may be folded into convolutions for a recipe, which rounds otherwise (1e-6 of a layer's values).

    Raw descent amplifies rounding, and its images are the sources' to 1e-4: it keeps their operations one by one. A
    gradient without its RMS gives other images of the same look and score.
    """
    return recipe.gradient == "rms"


def one_at_a_time(recipe: RecipeConfig, device: str) -> bool:
    """Whether images are better made one at a time: the sources' and the lab's raw pixels on a CPU.

    Raw descent amplifies rounding (1e-7 becomes 0.1 in 300 steps on a trained network), and convolutions round
    differently in a batch; alone, each image is the sources' own, and at their sizes a CPU is as fast that way.
    """
    return recipe.gradient == "raw" and recipe.param == "pixels" and device == "cpu"
