"""The loop: gradient descent on a batch of images through the octaves of a schedule, each image as if it were alone."""

from collections.abc import Callable

import torch
from torch import Tensor

from atlas.optvis.batch import Batch, Keep, Moment, Result, State
from atlas.optvis.gradients import gradient_of
from atlas.optvis.objectives import Reading
from atlas.optvis.params import Param
from atlas.optvis.priors import extent, resize
from atlas.optvis.rescue import OpenReLUs
from atlas.optvis.schedule import Octave, Schedule, Transforms
from atlas.optvis.steps import Stepper, stepper
from atlas.optvis.transforms import Streams, Views, draw_moves, draw_views
from atlas.optvis.update import Update, update_of

PATIENCE = 16  # steps without any gradient after which a feature counts as dead (lucid redirects for as many)
NOTHING = Keep()

# images (b, c, h, w), and which of the batch's images they are (b,) -> loss and score of each
Judge = Callable[[Tensor, Tensor], Reading]


def optimize(
    judge: Judge,
    param: Param,
    schedule: Schedule,
    streams: Streams | None = None,
    *,
    keep: Keep = NOTHING,
    fixed: bool = False,
    fused: bool = False,
) -> Result:
    """Make images whose loss is small: show, step, blur, clamp; octave after octave.

    The values of `param` are kept as they are; images lie in memory as they do (channels last: the blur takes a seventh
    of the time on a CPU; contiguous: the arithmetic is the sources', to the bit). `streams` are what transforms draw
    from. Images without any gradient for PATIENCE steps are dead and leave the batch, as do those no longer finite.
    fixed: they stay where they are, gray in the end, so that the network is shown the same number of images throughout.
    fused: what follows the gradient is one kernel by torch's compiler, which rounds otherwise.
    keep.begun: the steps that an earlier run has made are not made again, and the others give the same values.
    """
    batch, end = Batch(param, streams, keep, fixed=fixed), 0
    for octave in schedule.octaves:
        begin, end = end, end + octave.steps
        if batch.step > end:
            continue
        mover = stepper(schedule.optimizer, schedule.weight_decay)
        update = update_of(schedule, octave, mover, fused=fused)
        if batch.step > begin and keep.begun is not None:
            mover.restore(keep.begun["stepper"], batch.values)
        elif octave.size is not None:
            batch.size = extent(*batch.size, octave.size)
            batch.values = resize(batch.values, octave.size) if batch.working else batch.values
        for place in range(max(0, batch.step - begin), octave.steps):
            if batch.working:
                _step(batch, judge, schedule, octave=octave, mover=mover, update=update, place=place)
        batch.drop(~batch.values.flatten(1).isfinite().all(1), "nonfinite")
    batch.drop(~batch.touched, "dead")
    return batch.result()


def _step(
    batch: Batch, judge: Judge, schedule: Schedule, *, octave: Octave, mover: Stepper, update: Update, place: int
) -> None:
    steps = octave.steps
    views = _views(batch, schedule.transforms, octave, left=steps - place)
    gradient, reading = _gradient(judge, batch.param, batch.values, batch.which, views)
    if batch.step <= patience(schedule):
        gradient = _watch(batch, judge, schedule, gradient, views)
    if batch.step % schedule.trace_every == 0:
        batch.note(reading)
    sigma = None if octave.sigma is None else between(octave.sigma, place, steps)
    batch.values = update(batch.values, gradient, between(octave.lr, place, steps), sigma)
    batch.step += 1
    which, frame = batch.which, batch.frame(last=place + 1 == steps and octave is schedule.octaves[-1])
    if batch.step == patience(schedule) + 1 and not batch.touched.all():
        if not batch.fixed:
            mover.keep(batch.touched)
        batch.drop(~batch.touched, "dead")
    if batch.keep.watch is not None:
        batch.keep.watch(Moment(batch.step, which, frame, lambda: _state(batch, mover)))


def _views(batch: Batch, transforms: Transforms, octave: Octave, *, left: int) -> Views | None:
    """What this step shows of the images; all moves of the octave are drawn at its first one."""
    streams = batch.streams
    if streams is None or transforms == Transforms():
        return None
    if batch.moves is None or not batch.moves.shape[1]:
        # noise comes of the same numbers, step by step
        ahead = 1 if transforms.noise else left
        batch.moves = draw_moves(transforms, octave, batch.size, streams, steps=ahead)
    moves, batch.moves = batch.moves[:, 0], batch.moves[:, 1:]
    return draw_views(transforms, octave, (batch.param.channels, *batch.size), streams, moves)


def _state(batch: Batch, mover: Stepper) -> State:
    return {**batch.state(), "stepper": mover.state()}


def patience(schedule: Schedule) -> int:
    """Steps that a feature without any gradient is given: as many as its rescue lasts, at least."""
    return max(PATIENCE, schedule.rescue)


def between(ends: tuple[float, float], place: int, steps: int) -> float:
    """The source's schedule: (start·(n − i) + end·i) / n at step i of n, so the end itself is never reached."""
    start, end = ends
    return start * (steps - place) / steps + end * place / steps


def _gradient(judge: Judge, param: Param, values: Tensor, which: Tensor, views: Views | None) -> tuple[Tensor, Reading]:
    """Gradient of each image's own loss by its values: losses are summed over the batch, never averaged."""
    leaf = values.detach().requires_grad_(True)
    with torch.enable_grad():
        reading = _read(judge, param, leaf, which, views)
        return gradient_of(reading.loss, leaf), reading


def _read(judge: Judge, param: Param, values: Tensor, which: Tensor, views: Views | None) -> Reading:
    """What is judged of the images; of several views of one image, the mean."""
    images = param.render(values)
    if views is None:
        return judge(images, which)
    count = views.moves.shape[1]
    reading = judge(views.show(images, param.gray), which.repeat_interleave(count))
    if count == 1:
        return reading
    loss, score = (part.unflatten(0, (-1, count)).mean(1) for part in (reading.loss, reading.score))
    maps = None if reading.maps is None else reading.maps.unflatten(0, (-1, count)).mean(1)
    return Reading(loss, score, maps)


def _watch(batch: Batch, judge: Judge, schedule: Schedule, gradient: Tensor, views: Views | None) -> Tensor:
    """Note which images a gradient has reached; for the first steps, open the ReLUs for the others."""
    silent = gradient.flatten(1).abs().amax(1) == 0
    batch.touched |= ~silent
    # a GPU is asked, and waited for, only while there is something to rescue
    if batch.step >= schedule.rescue or not silent.any():
        return gradient
    # of all, so that the network is shown images of the same shape
    with OpenReLUs():
        opened, _ = _gradient(judge, batch.param, batch.values, batch.which, views)
    return torch.where(silent.view(-1, *[1] * (gradient.ndim - 1)), opened, gradient)
