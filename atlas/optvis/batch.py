"""The images still at work, what is known of all of them, and what came of them in the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from atlas.optvis.objectives import Reading
from atlas.optvis.params import Param
from atlas.optvis.transforms import Streams

# all that the loop needs to go on after a step: tensors, numbers and words in dicts and lists, as torch.save takes them
State = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """The loop after a step."""

    step: int  # from 1, over all octaves
    which: Int[Tensor, " some"]  # the images that were there, by their places in the start
    frame: Float[Tensor, "some c h w"] | None  # these images, where it is their turn
    state: Callable[[], State]  # from which the loop goes on as if it had never stopped


@dataclass(frozen=True)
class Keep:
    """What is kept along the way, beside the score."""

    means: bool = False  # mean activation of every channel of the layer, whenever the score is
    frames: int | None = None  # the images after every so many steps, and after the last
    watch: Callable[[Moment], None] | None = None  # is told of every step; it has the frames, which are then not kept
    begun: State | None = None  # of the same images in an earlier run, to go on from


@dataclass
class Result:
    """Finished images, in the order of the start, with how they came to be."""

    images: Float[Tensor, "b c h w"]  # as optimised, unclamped; dead ones gray
    status: list[str]  # ok, dead, or nonfinite
    trace: list[list[float]]  # score of the target every `trace_every` steps
    steps: list[int]  # spent on each image
    means: list[list[Tensor]]  # (c,) as often as the score, where they were asked for
    frames: list[list[tuple[int, Tensor]]]  # (step, image (c, h, w)), where they were asked for


class Batch:
    """Images that are optimised together; any of them may leave. In a fixed batch it stays where it is, and counts no more."""

    def __init__(self, param: Param, streams: Streams | None, keep: Keep, *, fixed: bool = False) -> None:
        count, device = len(param.values), param.values.device
        self.param, self.streams, self.keep, self.fixed = param, streams, keep, fixed
        self.values, self.size = param.values.clone(), param.size
        self.which = torch.arange(count, device=device)  # their places in the start
        self.touched = torch.zeros(count, dtype=torch.bool, device=device)  # whether a gradient has ever reached them
        self.moves: Tensor | None = None  # of the views of the steps to come (b, steps, views, 2, 3), as far as drawn
        self.step = 0
        self._status, self._steps = ["ok"] * count, [0] * count
        self._scores: list[tuple[Tensor, Tensor]] = []  # (which, score) along the way
        self._noted: list[int] = []  # the steps before which that was
        self._means: list[tuple[Tensor, Tensor]] = []  # (which, means (b, c))
        self._frames: list[tuple[int, Tensor, Tensor]] = []  # (step, which, images)
        if keep.begun is not None:
            self._restore(keep.begun)

    @property
    def working(self) -> bool:
        """Whether any image still counts; asks no device."""
        return "ok" in self._status

    def note(self, reading: Reading) -> None:
        """Keep a moment of the way."""
        self._noted.append(self.step)
        self._scores.append((self.which, reading.score.detach()))
        if self.keep.means and reading.maps is not None:
            self._means.append((self.which, reading.maps.detach().mean((2, 3))))

    def frame(self, last: bool) -> Tensor | None:
        """The images as they are now, if it is their turn; kept where nobody watches."""
        every = self.keep.frames
        if every is None or not (last or self.step % every == 0):
            return None
        images = self.param.render(self.values)
        if self.keep.watch is None:
            self._frames.append((self.step, self.which, images))
        return images

    def state(self) -> State:
        """All that `Keep.begun` takes, but for the stepper's."""
        return {
            "values": self.values,
            "size": list(self.size),
            "which": self.which,
            "touched": self.touched,
            "step": self.step,
            "status": self._status,
            "steps": self._steps,
            "scores": self._scores,
            "means": self._means,
            "streams": None if self.streams is None else self.streams.state(),
            "moves": self.moves,
        }

    def _restore(self, state: State) -> None:
        device, (height, width) = self.values.device, state["size"]
        self.values, self.which, self.touched = (state[name].to(device) for name in ("values", "which", "touched"))
        self.size, self.step = (height, width), state["step"]
        self._status, self._steps = list(state["status"]), list(state["steps"])
        self._scores, self._means = (
            [(which.to(device), values.to(device)) for which, values in state[name]] for name in ("scores", "means")
        )
        if self.streams is not None:
            self.streams.restore(state["streams"])
        moves = state.get("moves")  # earlier versions drew none ahead
        self.moves = None if moves is None else moves.to(device)

    def drop(self, gone: Bool[Tensor, " b"], status: str) -> None:
        """Take images out, for good; of a fixed batch they are left out in the end."""
        for number in self.which[gone].tolist():
            if self._status[number] == "ok":
                self._status[number], self._steps[number] = status, self.step
        if self.fixed:
            return
        self.values, self.which, self.touched = self.values[~gone], self.which[~gone], self.touched[~gone]
        self.moves = None if self.moves is None else self.moves[~gone]
        if self.streams is not None:
            self.streams.keep(~gone)

    def result(self) -> Result:
        """What came of all images; those that left are gray."""
        count = len(self._status)
        shape = (count, self.param.channels, *self.size)
        images = torch.ones(shape, dtype=self.values.dtype, device=self.values.device) * self.param.gray
        left = [number for number in self.which.tolist() if self._status[number] == "ok"]
        if left:
            counting = torch.isin(self.which, torch.tensor(left, device=self.which.device))
            images[left] = self.param.render(self.values)[counting]
        for number in left:
            self._steps[number] = self.step
        trace = _by_image(count, [(which, score.tolist()) for which, score in self._scores])
        frames = [(which, [(step, frame) for frame in some]) for step, which, some in self._frames]
        means = _by_image(count, [(which, list(some)) for which, some in self._means])
        if self.fixed:
            trace, means = (self._while_counting(values) for values in (trace, means))
        return Result(images, self._status, trace, self._steps, means, _by_image(count, frames))

    def _while_counting(self, by_image: list[list]) -> list[list]:
        """What was noted of each image, up to the step after which it counted no more."""
        counts = (sum(step < steps for step in self._noted) for steps in self._steps)
        return [values[:count] for values, count in zip(by_image, counts, strict=True)]


def _by_image(count: int, moments: list[tuple[Tensor, list]]) -> list[list]:
    """From what was noted of the images still there at each moment, to what was noted of each image."""
    by_image: list[list] = [[] for _ in range(count)]
    for which, values in moments:
        for number, value in zip(which.tolist(), values, strict=True):
            by_image[number].append(value)
    return by_image
