"""How far a run is: counts, rate and time left; a bar on a terminal, plain lines elsewhere, status.json for others."""

import os
import socket
import sys
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from atlas.records import Shard
from atlas.store.files import write_json
from atlas.store.manifest import now
from atlas.store.paths import AtlasPaths

WINDOW = 20  # commits over which the rate is taken
LINE_EVERY = 10.0  # seconds between two plain lines
STATUS_EVERY = 2.0  # seconds between two status.json


class Count:
    """Things done, dead and failed of a total, and how fast they come."""

    def __init__(self, total: int, left: int, failed: int = 0, unit: str = "images") -> None:
        self.total, self.before, self.unit = total, total - left, unit
        self.failed_before = failed  # on record from earlier runs, part of `before`
        self.done = self.dead = self.failed = 0
        self.began = monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self.began, 0)], maxlen=WINDOW)

    @property
    def made(self) -> int:
        """How many were settled in this run."""
        return self.done + self.failed

    @property
    def left(self) -> int:
        return self.total - self.before - self.made

    def add(self, *, done: int = 0, dead: int = 0, failed: int = 0) -> None:
        self.done, self.dead, self.failed = self.done + done, self.dead + dead, self.failed + failed
        self._recent.append((monotonic(), self.made))

    @property
    def rate(self) -> float | None:
        """How many a second over the last commits; None before the first."""
        (first, before), (_, after) = self._recent[0], self._recent[-1]
        elapsed = monotonic() - first
        return (after - before) / elapsed if after > before and elapsed > 0 else None

    @property
    def eta(self) -> float | None:
        return self.left / self.rate if self.rate else None


class Display(Protocol):
    """Where a run is told to a person."""

    def show(self, count: Count, doing: str) -> None: ...
    def say(self, message: str) -> None: ...
    def close(self) -> None: ...


class Bar:
    """A bar on a terminal."""

    def __init__(self, console: Console, count: Count) -> None:
        self.progress = Progress(
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn(count.unit),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("[dim]{task.fields[doing]}"),
            console=console,
        )
        self.task = self.progress.add_task("", total=count.total, completed=count.before, rate="", doing="starting")
        self.progress.start()

    def show(self, count: Count, doing: str) -> None:
        self.progress.update(self.task, completed=count.before + count.made, rate=_pace(count), doing=doing)

    def say(self, message: str) -> None:
        self.progress.console.print(message, highlight=False, markup=False)

    def close(self) -> None:
        self.progress.stop()


class Lines:
    """Plain lines, for log files."""

    def __init__(self) -> None:
        self.next = monotonic()

    def show(self, count: Count, doing: str) -> None:
        if monotonic() < self.next and count.left:
            return
        self.next = monotonic() + LINE_EVERY
        self.say(f"{count.before + count.made}/{count.total} {count.unit}  {_pace(count)}  {doing}".rstrip())

    def say(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


def display_for(count: Count) -> Display:
    console = Console(stderr=True)
    return Bar(console, count) if console.is_terminal else Lines()


def _pace(count: Count) -> str:
    parts = [f"{count.rate:.2g}/s" if count.rate and count.rate < 10 else f"{count.rate:.0f}/s"] if count.rate else []
    if count.left and count.eta is not None:
        parts.append(f"{clock(count.eta)} left")
    parts += [f"{count.dead} dead"] if count.dead else []
    parts += [f"{count.failed} failed"] if count.failed else []
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """1:05, or 3:07:12."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def busy_line(busy: Iterable[Shard]) -> str:
    """What is under way, in a few words."""
    return ", ".join(sorted({shard.label for shard in busy}))[:80]


class StatusFile:
    """status.json: how a run stands, for another terminal."""

    def __init__(self, paths: AtlasPaths, name: str) -> None:
        self.paths, self.next = paths, 0.0
        self.fixed = {"name": name, "host": socket.gethostname(), "pid": os.getpid(), "started": now()}

    def write(self, state: str, count: Count, workers: list[dict[str, Any]], message: str | None = None) -> None:
        """Write now when the state is final, else at most every few seconds, and not for the price of the run."""
        if state == "running" and monotonic() < self.next:
            return
        self.next = monotonic() + STATUS_EVERY
        counts = {
            "stage": count.unit,
            "total": count.total,
            "done": count.before - count.failed_before + count.done,
            "dead": count.dead,
            "failed": count.failed_before + count.failed,
            "left": count.left,
            "rate": count.rate,
            "eta_seconds": count.eta,
        }
        value = {"state": state, **self.fixed, "updated": now(), **counts, "workers": workers, "message": message}
        with suppress(OSError):
            write_json(self.paths.status, value)
