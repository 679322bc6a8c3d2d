"""Whoever watches a run in numbers: a cluster's metrics, TensorBoard, Weights & Biases."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Protocol

from atlas.store.paths import AtlasPaths

EVERY = 10.0  # seconds between two points of a curve
Write = Callable[[Mapping[str, float], int], object]  # takes a point of each curve, and how many seconds the run is old
# by name, as a metric is called after `atlas_`
NUMBERS = {
    "done": "done so far, with what earlier runs have done",
    "failed": "failed for good",
    "left": "neither done nor failed",
    "per_second": "done or failed in a second, over the last commits",
    "actors": "actors that there are",
    "busy": "actors that are at work",
    "kept_seconds": "seconds of actors that went into work which was kept",
    "lost_seconds": "seconds of actors that went into work which was lost",
}


@dataclass(frozen=True)
class Sight:
    """What there is to see of a stage at one moment."""

    atlas: str  # the name of its folder, which tells two apart where `name=` does not
    stage: str  # what it counts: images, pictures, …
    numbers: Mapping[str, float]  # by the names of NUMBERS


class Watcher(Protocol):
    """Takes in what there is to see."""

    def watch(self, sight: Sight) -> None:
        """Look at one moment; called about once a second."""
        ...


class Tracker:
    """Hands a point of each curve to a library, every few seconds and at the end."""

    def __init__(self, write: Write, close: Callable[[], object]) -> None:
        self._write, self._close = write, close
        self._began, self._next = monotonic(), 0.0
        self._unwritten: Sight | None = None

    def watch(self, sight: Sight) -> None:
        now, last = monotonic(), self._unwritten
        # the last one of a stage that is over
        if last is not None and last.stage != sight.stage:
            self._point(last)
        self._unwritten = sight
        if now >= self._next:
            self._next = now + EVERY
            self._point(sight)

    def close(self) -> None:
        if self._unwritten is not None:
            self._point(self._unwritten)
        self._close()

    def _point(self, sight: Sight) -> None:
        numbers = {f"{sight.stage}/{name}": value for name, value in sight.numbers.items()}
        self._write(numbers, int(monotonic() - self._began))
        self._unwritten = None


def tensorboard(paths: AtlasPaths) -> Tracker:
    """Curves in the atlas's folder, for `tensorboard --logdir`."""
    writer = import_module("tensorboard.summary").Writer(str(paths.root / "tensorboard"))

    def write(numbers: Mapping[str, float], seconds: int) -> None:
        for tag, value in numbers.items():
            writer.add_scalar(tag, value, seconds)

    return Tracker(write, writer.close)


def wandb(paths: AtlasPaths) -> Tracker:
    """Curves of a run that is called like the atlas's folder; the user's own settings say where they go."""
    run = import_module("wandb").init(project="atlas", name=paths.name, config={"out": str(paths.root)})
    return Tracker(lambda numbers, seconds: run.log({"seconds": seconds, **numbers}), run.finish)


# by what `report=` calls them, which is also what they need installed
TRACKERS = {"tensorboard": tensorboard, "wandb": wandb}


@contextmanager
def trackers(names: Sequence[str], paths: AtlasPaths) -> Iterator[list[Watcher]]:
    """The trackers of these names, closed at the end."""
    opened = [TRACKERS[name](paths) for name in names]
    try:
        yield list[Watcher](opened)
    finally:
        for tracker in opened:
            tracker.close()
