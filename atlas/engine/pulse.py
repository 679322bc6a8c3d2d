"""How far a shard is while it is worked on: steps of the work in; out a small file, which the driver reads.

In an object store there is none: a request a second from each worker would cost more than what it tells.
A worker in the driver's own process also calls whoever listens, since the driver has no turn before the shard is done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from time import monotonic

from atlas.store.bucket_path import is_remote

EVERY = 1.0  # seconds between two beats that are passed on

_listener: ContextVar[Callable[[], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """Have `listener` called at every beat of work that is done in this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Pulse:
    """The pulse of one shard."""

    def __init__(self, path: Path, total: float) -> None:
        """path: the file, in a folder that exists. total: what the steps of the whole shard come to."""
        self.path, self.total, self.done = path, total, 0.0
        self._next = monotonic() + EVERY

    def beat(self, steps: float) -> None:
        """Some more is done. A disk that fails is no error here: work goes on without being told of."""
        self.done += steps
        if monotonic() < self._next:
            return
        self._next = monotonic() + EVERY
        if not is_remote(self.path):
            with suppress(OSError):
                self.path.write_text(f"{min(1.0, self.done / self.total):.4f}")
        listener = _listener.get()
        if listener is not None:
            listener()


def read_pulse(path: Path) -> float:
    """The share of a shard that is done, 0 to 1; 0 where nobody has said so."""
    try:
        return 0.0 if is_remote(path) else float(path.read_text())
    # there is none yet, or it is being written
    except (OSError, ValueError):
        return 0.0


def forget_pulse(path: Path) -> None:
    """Remove what was told of a shard that is done."""
    if not is_remote(path):
        path.unlink(missing_ok=True)
