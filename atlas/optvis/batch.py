"""The images still at work, what is known of all of them, and what came of them in the end."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from atlas.optvis.objectives import Reading
from atlas.optvis.params import Param
from atlas.optvis.transforms import Streams


@dataclass(frozen=True)
class Keep:
    """What is kept along the way, beside the score."""

    means: bool = False  # mean activation of every channel of the layer, whenever the score is
    frames: int | None = None  # the images after every so many steps, and after the last


@dataclass
class Result:
    """Finished images, in the order of the start, with how they came to be."""

    images: Float[Tensor, "b 3 h w"]  # as optimised, unclamped; dead ones gray
    status: list[str]  # ok, dead, or nonfinite
    trace: list[list[float]]  # score of the target every `trace_every` steps
    steps: list[int]  # spent on each image
    means: list[list[Tensor]]  # (c,) as often as the score, where they were asked for
    frames: list[list[tuple[int, Tensor]]]  # (step, image (3, h, w)), where they were asked for


class Batch:
    """Images that are optimised together; any of them may leave."""

    def __init__(self, param: Param, streams: Streams | None, keep: Keep) -> None:
        count, device = len(param.values), param.values.device
        self.param, self.streams, self.keep = param, streams, keep
        self.values, self.size = param.values.clone(), param.size
        self.which = torch.arange(count, device=device)  # their places in the start
        self.touched = torch.zeros(count, dtype=torch.bool, device=device)  # whether a gradient has ever reached them
        self.step = 0
        self._status, self._steps = ["ok"] * count, [0] * count
        self._scores: list[tuple[Tensor, Tensor]] = []  # (which, score) along the way
        self._means: list[tuple[Tensor, Tensor]] = []  # (which, means (b, c))
        self._frames: list[tuple[int, Tensor, Tensor]] = []  # (step, which, images)

    def __len__(self) -> int:
        return len(self.which)

    def note(self, reading: Reading) -> None:
        """Keep a moment of the way."""
        self._scores.append((self.which, reading.score.detach()))
        if self.keep.means and reading.maps is not None:
            self._means.append((self.which, reading.maps.detach().mean((2, 3))))

    def note_frame(self, last: bool) -> None:
        """Keep the images as they are now, if it is their turn."""
        every = self.keep.frames
        if every is not None and (last or self.step % every == 0):
            self._frames.append((self.step, self.which, self.param.render(self.values)))

    def drop(self, gone: Bool[Tensor, " b"], status: str) -> None:
        """Take images out, for good."""
        for number in self.which[gone].tolist():
            self._status[number], self._steps[number] = status, self.step
        self.values, self.which, self.touched = self.values[~gone], self.which[~gone], self.touched[~gone]
        if self.streams is not None:
            self.streams.keep(~gone)

    def result(self) -> Result:
        """What came of all images; those that left are gray."""
        count = len(self._status)
        images = torch.ones((count, 3, *self.size), dtype=self.values.dtype, device=self.values.device)
        images = images * self.param.gray
        if len(self):
            images[self.which] = self.param.render(self.values)
        for number in self.which.tolist():
            self._steps[number] = self.step
        trace = _by_image(count, [(which, score.tolist()) for which, score in self._scores])
        frames = [(which, [(step, frame) for frame in some]) for step, which, some in self._frames]
        means = _by_image(count, [(which, list(some)) for which, some in self._means])
        return Result(images, self._status, trace, self._steps, means, _by_image(count, frames))


def _by_image(count: int, moments: list[tuple[Tensor, list]]) -> list[list]:
    """From what was noted of the images still there at each moment, to what was noted of each image."""
    by_image: list[list] = [[] for _ in range(count)]
    for which, values in moments:
        for number, value in zip(which.tolist(), values, strict=True):
            by_image[number].append(value)
    return by_image
