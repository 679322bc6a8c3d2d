"""How far a run is: counts, rate and time left.

Shown as a bar on a terminal and as plain lines elsewhere; written to status.json for other terminals.
"""

import os
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from atlas.engine.terminal import tell
from atlas.records import Part, Shard
from atlas.store.files import write_json
from atlas.store.manifest import now
from atlas.store.paths import AtlasPaths

WINDOW = 20  # commits over which the rate is taken
LINE_EVERY = 10.0  # seconds between two plain lines
STATUS_EVERY = 2.0  # seconds between two status.json


class Count:
    """How many images, or other things, of a total are done, dead and failed, and how fast they are settled."""

    def __init__(
        self, total: int, left: int, failed: int = 0, unit: str = "images", *, expected: float | None = None
    ) -> None:
        """expected: seconds that those left take by the plan, which is all there is to go by at first."""
        self.total, self.before, self.unit = total, total - left, unit  # before: settled by earlier runs
        self.failed_before = failed  # the part of `before` that failed
        self.done = self.dead = self.failed = 0
        self.expected = expected
        self.under_way = 0.0  # what is done of those that are worked on comes to so many
        self.began = monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self.began, 0)], maxlen=WINDOW)

    @property
    def settled(self) -> int:
        """How many are done or failed in this run."""
        return self.done + self.failed

    @property
    def left(self) -> int:
        """How many are neither done nor failed, in this run or an earlier one."""
        return self.total - self.before - self.settled

    @property
    def done_in_all(self) -> int:
        """How many are done, in this run or an earlier one; the dead are part of them."""
        return self.before - self.failed_before + self.done

    @property
    def failed_in_all(self) -> int:
        """How many have failed, in this run or an earlier one."""
        return self.failed_before + self.failed

    def add(self, *, done: int = 0, dead: int = 0, failed: int = 0) -> None:
        """Count things that have just been settled; the dead are part of the done."""
        self.done, self.dead, self.failed = self.done + done, self.dead + dead, self.failed + failed
        self._recent.append((monotonic(), self.settled))

    def skip(self, number: int) -> None:
        """Count things that an earlier run has settled, and nobody knew of; they say nothing of the rate."""
        self.before += number

    @property
    def rate(self) -> float | None:
        """How many are settled in a second, over the last commits; None before the first."""
        (began, before), (_, after) = self._recent[0], self._recent[-1]
        elapsed = monotonic() - began
        return (after - before) / elapsed if after > before and elapsed > 0 else None

    @property
    def eta(self) -> float | None:
        """Seconds until none is left: at the present rate, else at that of those under way, else by the plan."""
        left, elapsed = max(0.0, self.left - self.under_way), monotonic() - self.began
        if self.rate:
            return left / self.rate
        if self.under_way:
            return elapsed * left / self.under_way
        # a plan that is overtaken says nothing more
        return None if self.expected is None or self.expected <= elapsed else self.expected - elapsed

    @property
    def share(self) -> float:
        """How much of all is settled, with what is done of those under way, 0 to 1."""
        return (self.before + self.settled + self.under_way) / self.total if self.total else 1.0


class Display(Protocol):
    """Shows a person how far a run is."""

    def show(self, count: Count, doing: str) -> None:
        """Show the counts, and what is under way."""
        ...

    def say(self, message: str) -> None:
        """Print a message that stays."""
        ...

    def close(self) -> None:
        """Give the terminal back."""
        ...


class Bar:
    """A bar on a terminal."""

    def __init__(self, console: Console, count: Count) -> None:
        self.progress = Progress(
            BarColumn(bar_width=32),
            TextColumn("{task.fields[settled]}/{task.total:.0f}"),
            TextColumn(count.unit),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("[dim]{task.fields[doing]}"),
            console=console,
        )
        self.task = self.progress.add_task(
            "", total=count.total, completed=count.before, settled=count.before, rate="", doing="starting"
        )
        self.progress.start()

    def show(self, count: Count, doing: str) -> None:
        completed = count.before + count.settled + count.under_way
        self.progress.update(
            self.task, completed=completed, settled=count.before + count.settled, rate=_pace(count), doing=doing
        )

    def say(self, message: str) -> None:
        self.progress.console.print(message, highlight=False, markup=False)

    def close(self) -> None:
        self.progress.stop()


class Lines:
    """Plain lines with their time, for log files. silence: seconds without a line; what is over by then has none."""

    def __init__(self, silence: float = 0.0) -> None:
        self.first = self.next = monotonic() + silence

    def show(self, count: Count, doing: str) -> None:
        if monotonic() < (self.next if count.left else self.first):
            return
        self.next = monotonic() + LINE_EVERY
        words = [
            f"{count.before + count.settled}/{count.total} {count.unit}",
            f"{count.share:.0%}",
            _pace(count),
            doing,
        ]
        self.say("  ".join(filter(None, words)))

    def say(self, message: str) -> None:
        tell(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {message}")

    def close(self) -> None:
        pass


def display_for(count: Count, silence: float = 0.0) -> Display:
    """A bar where stderr is a terminal, else plain lines, after so many seconds of silence."""
    console = Console(stderr=True)
    return Bar(console, count) if console.is_terminal else Lines(silence)


def _pace(count: Count) -> str:
    parts = [f"{count.rate:.2g}/s" if count.rate and count.rate < 10 else f"{count.rate:.0f}/s"] if count.rate else []
    if count.left and count.eta is not None:
        parts.append(f"{clock(count.eta)} left")
    parts += [f"{count.dead} dead"] if count.dead else []
    parts += [f"{count.failed} failed"] if count.failed else []
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as `1:05`, or as `3:07:12`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def busy_line(busy: Iterable[Shard]) -> str:
    """The labels of the shards that are under way, in one short line."""
    return ", ".join(sorted({shard.label for shard in busy}))[:80]


class StatusFile:
    """status.json: how far a run is, for another terminal."""

    def __init__(self, paths: AtlasPaths, name: str, part: Part | None = None) -> None:
        self.path, self.name, self.next = paths.status_of(part), name, 0.0
        self.fixed = {"name": name, "host": socket.gethostname(), "pid": os.getpid(), "started": now()}

    def write(self, state: str, count: Count, workers: list[dict[str, Any]], message: str | None = None) -> None:
        """Write now when the state is final, else at most every few seconds. Storage that fails is not an error here."""
        if state == "running" and monotonic() < self.next:
            return
        self.next = monotonic() + STATUS_EVERY
        counts = {
            "stage": count.unit,
            "total": count.total,
            "done": count.done_in_all,
            "dead": count.dead,
            "failed": count.failed_in_all,
            "left": count.left,
            "rate": count.rate,
            "eta_seconds": count.eta,
        }
        status = {"state": state, **self.fixed, "updated": now(), **counts, "workers": workers, "message": message}
        with suppress(OSError):
            write_json(self.path, status)
