"""Signals of a job: the first asks it to end, a second ends it at once; what is under way is lost, and nothing else.

Handlers only set a flag or raise in this process's own Python: Ray, which bears neither, runs in a process of its own.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import psutil

from atlas.engine.outcome import INTERRUPTED
from atlas.store.lock import release_all

# SIGHUP: the terminal is closed
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
# seconds in which a signal that comes again is the same one: `timeout` sends to a process and then to its group
ECHO = 0.1
LEAVING = 20.0  # seconds that a job may take to leave once it is to end; then it is ended
REPEAT = 5.0  # seconds between two alarms, once a grace is over
TICK = 0.5  # seconds between two looks at the time, after a signal
GRACE = 120.0  # seconds for what is under way, where no config says how many
SHOW_CURSOR = "\r\x1b[?25h"
Handler = Callable[[int, FrameType | None], None]


class StopNow(BaseException):
    """The job is to end here: what is under way is lost, and nothing else."""


class StopRequest:
    """Whether a signal has asked the run to end, and which."""

    def __init__(self) -> None:
        self.name: str | None = None


class _State:
    """What this process has heard, and how long it may take to end."""

    def __init__(self) -> None:
        self.heard: float | None = None  # when the last signal came
        self.since = 0.0  # when `patience` began
        self.patience = LEAVING  # seconds in which a job that is to end should have ended
        self.writer: socket.socket | None = None  # into which the interpreter writes each signal's number
        self.ends_process = False  # a second signal ends the process: the command line's, not a notebook's

    def hear(self, number: int) -> bool:
        """Note a signal; whether it is no echo of the one before."""
        if number == signal.SIGHUP:
            _let_go_of_terminal()
        before, self.heard = self.heard, time.monotonic()
        return before is None or self.heard - before > ECHO

    def may_take(self, seconds: float) -> None:
        """From now on, a job that is to end may take so many seconds."""
        self.since, self.patience = time.monotonic(), seconds


_state = _State()


def is_ending() -> bool:
    """Whether a signal has asked this process to end, which is a job's own."""
    return _state.ends_process and _state.heard is not None


@contextmanager
def job_signals() -> Iterator[None]:
    """Listen to signals from here to the end of the process, which is a job's own: for the command line.

    The first raises StopNow, unless `stop_requests` stands inside. A second, or a job that does not leave in time, ends
    the process and all that it has started with 75, also out of a library that hears no signals.
    """
    reader, _state.writer = socket.socketpair()
    _state.writer.setblocking(False)
    signal.set_wakeup_fd(_state.writer.fileno(), warn_on_full_buffer=False)
    _state.ends_process = True
    threading.Thread(target=_watch, args=(reader,), daemon=True, name="atlas-signals").start()
    heeded = _heeded()
    for number in heeded:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        # what the job came to stands; only a second signal ends a process that cannot leave
        for number in heeded:
            signal.signal(number, _ignore)


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Raise StopNow at the first signal, where nothing is under way that would be lost.

    `stop_requests` may stand inside, and listens in its place.
    """
    with _handled_by(_leave):
        yield


def _leave(number: int, frame: FrameType | None) -> None:
    if not _state.hear(number):
        return
    _state.since = time.monotonic()
    if _state.ends_process:
        _kill_children()
    raise StopNow


@contextmanager
def stop_requests(grace: float = GRACE, *, raising: bool = False) -> Iterator[StopRequest]:
    """Listen to SIGINT, SIGTERM, SIGUSR1 and SIGHUP: the first asks for an end within `grace` seconds.

    raising: when these are over, StopNow is raised: for work in this process, which looks at no request.
    """
    request = StopRequest()

    def receive(number: int, frame: FrameType | None) -> None:
        new = _state.hear(number)
        if request.name is None:
            request.name = signal.Signals(number).name
            _state.since = time.monotonic()
            if raising:
                # again and again: a model's bare `except:` may catch the first
                signal.setitimer(signal.ITIMER_REAL, max(grace, 0.01), REPEAT)
        elif new and not _state.ends_process:
            raise StopNow

    _state.may_take(grace + LEAVING)
    try:
        with _handled_by(receive), _grace_is_over_by(_stop_now if raising else None, request):
            yield request
    finally:
        _state.may_take(LEAVING)


def _ignore(number: int, frame: FrameType | None) -> None:
    return None


def _stop_now(number: int, frame: FrameType | None) -> None:
    raise StopNow


@contextmanager
def _grace_is_over_by(handler: Handler | None, request: StopRequest) -> Iterator[None]:
    """Handle the alarm that the first signal sets."""
    if handler is None or not _in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        if request.name is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """Give signals to a handler."""
    before = {number: signal.signal(number, handler) for number in _heeded()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _heeded() -> list[signal.Signals]:
    """The signals that can be handled here; under nohup, SIGHUP stays ignored."""
    if not _in_main_thread():
        return []
    return [n for n in SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]


def _in_main_thread() -> bool:
    """Only there can signals be handled: elsewhere a job goes without."""
    return threading.current_thread() is threading.main_thread()


def _watch(reader: socket.socket) -> None:
    """Follow the signals by number, also while the main thread is in a long call; end the process when it does not end."""
    first: float | None = None
    while True:
        reader.settimeout(None if first is None else TICK)
        with suppress(TimeoutError):
            if reader.recv(1)[0] in SIGNALS:
                if first is not None and time.monotonic() - first > ECHO:
                    _end("stopped at once by a second signal")
                first = first or time.monotonic()
                # the main thread may be too busy to note it
                _state.since = max(_state.since, first)
        if first is not None and time.monotonic() - _state.since > _state.patience:
            _end("stopped: what was under way has not ended in time")


def _end(reason: str) -> None:
    """End this process and all that it has started; its atlas is no longer locked."""
    _kill_children()
    with suppress(OSError, ValueError):
        end = SHOW_CURSOR if sys.stderr.isatty() else ""
        os.write(2, f"{end}{reason}; run the same again to resume\n".encode())
    release_all()
    os._exit(INTERRUPTED)


def _kill_children() -> None:
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()


def _let_go_of_terminal() -> None:
    """After SIGHUP there is none, and what is written to it would be an error."""
    for stream in (1, 2):
        if os.isatty(stream):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
