"""Dreams on their way: every step of the loop in; frames on disk, a bar for a person, and a clean stop, out."""

from dataclasses import dataclass, field

from PIL import Image

from atlas.dream.dream_files import DreamFiles
from atlas.dream.unfinished import Frames, Unfinished
from atlas.engine.progress import Count, Display
from atlas.engine.signals import StopRequest
from atlas.optvis.batch import Moment, State
from atlas.store.images import to_pil, write_pixels


class Stopped(BaseException):
    """A signal has asked for an end, and what there is of the dreams under way is on disk. The message says how far."""


@dataclass(frozen=True)
class Going:
    """What is told of all dreams, and who may stop them."""

    count: Count  # of steps
    display: Display
    stop: StopRequest | None  # None: nobody

    def step(self, steps: int, doing: str) -> None:
        """Some more steps are made."""
        self.count.add(done=steps)
        self.display.show(self.count, doing)


@dataclass
class Journal:
    """Follows dreams that are made together."""

    files: list[DreamFiles]
    name: str  # of what they are dreams of
    steps: int  # that the recipe has
    going: Going
    frames: Frames = field(init=False)
    begun: State | None = field(init=False)  # where an earlier run was
    step: int = field(init=False)  # the last that is made

    def __post_init__(self) -> None:
        self.unfinished = Unfinished(self.files)
        self.begun, self.frames = self.unfinished.read() or (None, [[] for _ in self.files])
        self.step = 0 if self.begun is None else self.begun["step"]
        self.going.count.skip(len(self.files) * self.step)
        if self.begun is None:
            self.clear()

    def watch(self, moment: Moment) -> None:
        """Keep what is to be kept of a step. Stopped: that was the last for now."""
        last = moment.step == self.steps
        if moment.frame is not None and not last:  # the last one is written with what is known of the finished dream
            self._write_frames(moment)
            if any(self.frames):  # else nothing is finite
                self.unfinished.write(moment.state(), self.frames)
        self._count(moment.step)
        stop = self.going.stop
        if stop is not None and stop.name is not None:
            self.unfinished.write(moment.state(), self.frames)
            raise Stopped(f"stopped by {stop.name} after step {moment.step} of {self.steps} of {self.name}")

    def close(self) -> None:
        """All are finished, or nothing can come of them: there is nothing to go on from."""
        if self.step < self.steps:
            self._count(self.steps)
        self.unfinished.remove()

    def clear(self) -> None:
        """Take away all there is."""
        for files in self.files:
            files.clear()

    def _count(self, step: int) -> None:
        self.going.step(len(self.files) * (step - self.step), f"{self.name}, step {step} of {self.steps}")
        self.step = step

    def _write_frames(self, moment: Moment) -> None:
        assert moment.frame is not None
        for number, frame in zip(moment.which.tolist(), moment.frame, strict=True):
            if frame.isfinite().all():
                picture: Image.Image = to_pil(frame.float().cpu().numpy())
                write_pixels(self.files[number].frame(moment.step), picture)
                self.frames[number] = [*self.frames[number], moment.step]
