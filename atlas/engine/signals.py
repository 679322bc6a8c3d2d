"""A clean stop: the first signal asks the run to end, the second ends it at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StopNow(BaseException):
    """The second signal has come: what is under way is lost, and nothing else."""


class StopRequest:
    """Whether a signal has asked the run to end, and which."""

    def __init__(self) -> None:
        self.name: str | None = None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.name is not None:
            raise StopNow
        self.name = signal.Signals(number).name


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Raise StopNow at the first signal, where nothing is under way that would be lost.

    `stop_requests` may stand inside, and listens in its place.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        raise StopNow

    with _handled_by(leave):
        yield


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Listen to SIGINT, SIGTERM and SIGUSR1; enter after `ray.init`, which takes SIGTERM for itself."""
    request = StopRequest()
    with _handled_by(request._receive):
        yield request


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
