"""A clean stop: the first signal asks for it, the second insists."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StopNow(BaseException):
    """The second signal: leave at once; what is in flight is lost, nothing else."""


class StopRequest:
    """Whether a signal has asked the run to end, and which."""

    def __init__(self) -> None:
        self.name: str | None = None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.name is not None:
            raise StopNow
        self.name = signal.Signals(number).name


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Listen to SIGINT, SIGTERM and SIGUSR1; enter after `ray.init`, which takes SIGTERM for itself."""
    request = StopRequest()
    before = {number: signal.signal(number, request._receive) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
