"""The driver's loop: events of the executor go into the scheduler, and its commands are carried out.

The only part with a clock: it also notices work that hangs, actors that never come, and requests to stop.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from atlas.config.schema import ClusterConfig
from atlas.engine.attempt import Attempt, read_note
from atlas.engine.events import (
    Abandon,
    Command,
    Commit,
    Died,
    Event,
    Fail,
    Failed,
    Halt,
    Interrupted,
    Joined,
    Kill,
    Left,
    Lost,
    Pause,
    Send,
    SetupFailed,
    Start,
    Starved,
)
from atlas.engine.executor import ClusterGone, Executor
from atlas.engine.pace import Pace
from atlas.engine.progress import Count, Display, StatusFile, busy_line
from atlas.engine.publisher import Publisher
from atlas.engine.pulse import listening, read_pulse
from atlas.engine.scheduler import TROUBLES, Scheduler
from atlas.engine.signals import StopRequest
from atlas.records import Receipt, Shard
from atlas.store.manifest import now

POLL = 1.0  # seconds that the executor may wait for an event
HUNG = 6.0  # times the usual seconds of a shard after which it counts as hung


@dataclass
class Ending:
    """How a run ended."""

    stopped: str | None = None  # why it ended before its work did
    abandoned: dict[str, str] = field(default_factory=dict)  # model: why it could not be loaded


class Clock:
    """The time as the driver reads it, and passes it."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Patience:
    """How long a driver waits for work, for actors and for storage, and the clock it reads."""

    cluster: ClusterConfig  # grace, deadline, start_timeout
    rate: float  # multiply-adds per second that an actor is expected to do
    clock: Clock = field(default_factory=Clock)


class Driver:
    """Runs a scheduler over an executor; a publisher commits the shards that it finishes."""

    def __init__(
        self,
        executor: Executor,
        publisher: Publisher,
        *,
        fail: Callable[[Fail], None],
        patience: Patience,
        count: Count,
        display: Display,
        status: StatusFile,
    ) -> None:
        """fail: records the one item of a shard that has failed for good."""
        self.executor, self.publisher, self.fail = executor, publisher, fail
        self.cluster, self.rate, self.clock = patience.cluster, patience.rate, patience.clock
        self.count, self.display, self.status = count, display, status
        self.ending = Ending()
        self.since: dict[int, float] = {}  # by slot: when it began what it does
        self.began: dict[int, str] = {}  # the same as a date
        self.notes: dict[int, Path] = {}  # by slot: where its worker notes which items are under way
        self.slowest = 0.0  # seconds of the slowest shard so far
        self.stop_at: float | None = None  # when the grace after a signal is over

    def run(self, shards: Iterable[Shard], stop: StopRequest) -> Ending:
        """Work until every shard is settled, or until somebody or something stops the run."""
        self.scheduler = Scheduler(shards, Pace(self.cluster.shard_seconds))
        try:
            self._drive(stop)
        except ClusterGone as gone:
            self.ending.stopped = self.ending.stopped or str(gone)
        return self.ending

    def _drive(self, stop: StopRequest) -> None:
        for slot in range(self.executor.slots):
            self._feed(Joined(slot))
        self.last_event = self.clock.now()
        while not self.scheduler.finished:
            with listening(partial(self._heard, stop)):
                events = self.executor.poll(POLL)
            for event in events:
                self.last_event = self.clock.now()
                self._feed(event)
            for event in [*self._hung(), *self._stops(stop)]:
                self._feed(event)
            self._check_silence()
            self._report()

    def _feed(self, event: Event) -> None:
        if isinstance(event, Died | Lost | Starved):
            event = replace(event, places=read_note(self.notes.get(event.slot)))
        self._report_fault(event)
        for command in self.scheduler.handle(event):
            self._persist(command)

    def _persist(self, command: Command) -> None:
        """Carry a command out; storage that fails is tried again for a while, and then ends the run, resumably."""
        for attempt in range(TROUBLES):
            try:
                return self._carry_out(command)
            except OSError as error:
                self.display.say(f"trouble with storage, trying again in {2**attempt} s: {error}")
                self.clock.sleep(2**attempt)
        self.scheduler.stopping = True
        self.ending.stopped = "the atlas cannot be written; does every node see it?"
        return None

    def _carry_out(self, command: Command) -> None:
        match command:
            case Start(slot, model):
                self._restart_timer(slot)
                self.publisher.log("start", slot=slot, model=model)
                self.executor.start(slot, model)
            case Send(slot, shard, most):
                self._restart_timer(slot)
                self.executor.send(slot, Attempt(shard, most, self._new_note(slot)))
            case Kill(slot):
                self.executor.kill(slot)
            case Commit(shard, receipt):
                self._commit(receipt, shard)
            case Fail():
                self.fail(command)
                self.count.add(failed=1)
            case Abandon(model, message):
                self.ending.abandoned[model] = message
                self.display.say(f"{model} is given up, its {self.count.unit} stay left to do: {message}")
            case Pause(seconds, message):
                self.display.say(f"trouble with storage, trying again in {seconds:.0f} s: {message}")
                self.clock.sleep(seconds)
            case Halt(message):
                self.ending.stopped = message

    def _new_note(self, slot: int) -> Path:
        """A file of its own for each try, so that no late word of an earlier one is taken for this one's."""
        if slot in self.notes:
            # a note is a hint: work is sent whether or not an old one can be removed
            with suppress(OSError):
                self.notes[slot].unlink(missing_ok=True)
        self.notes[slot] = self.publisher.new_note()
        return self.notes[slot]

    def _commit(self, receipt: Receipt, shard: Shard) -> None:
        self.slowest = max(self.slowest, receipt.seconds)
        self.publisher.commit(receipt, shard)
        self.count.add(done=receipt.ok + receipt.dead, dead=receipt.dead, failed=receipt.failed)
        for note in receipt.notes:
            self.publisher.log("note", shard=shard.id, message=note)
            self.display.say(note)

    def _report_fault(self, event: Event) -> None:
        """Report what went wrong, in events.jsonl and to the person who watches."""
        match event:
            case (
                Died(slot, reason)
                | Lost(slot, reason)
                | Starved(slot, reason)
                | SetupFailed(slot, reason)
                | Left(slot, reason)
            ):
                kind = type(event).__name__
                self.publisher.log("worker", slot=slot, what=kind, where=self.executor.where(slot), reason=reason)
                self.display.say(
                    f"worker {slot} ({self.executor.where(slot)}) {kind.lower()}: {reason.splitlines()[0]}"
                )
            case Failed(slot, shard, error_type, message):
                self.publisher.log("error", slot=slot, shard=shard, error_type=error_type, message=message)

    def _restart_timer(self, slot: int) -> None:
        self.since[slot], self.began[slot] = self.clock.now(), now()

    def _hung(self) -> list[Event]:
        """The slots whose work has been silent for longer than any work should be."""
        limits = {slot: self._time_limit(shard) for slot, shard in self.scheduler.busy.items()}
        return [
            Lost(slot, f"no answer for {limit:.0f} s")
            for slot, limit in limits.items()
            if self.clock.now() - self.since[slot] > limit
        ]

    def _time_limit(self, shard: Shard) -> float:
        """Seconds that a shard may take: several times the usual, and several times what its cost lets expect."""
        return max(self.cluster.deadline, HUNG * self.slowest, HUNG * shard.cost / self.rate)

    def _stops(self, stop: StopRequest) -> list[Event]:
        """The events that follow from a signal: one when it comes, and the loss of what its grace did not suffice for."""
        self._heed(stop)
        if self.stop_at is None:
            return []
        if not self.scheduler.stopping:
            return [Interrupted()]
        if self.clock.now() > self.stop_at:
            return [Lost(slot, "the grace after a signal is over") for slot in self.scheduler.busy]
        return []

    def _heard(self, stop: StopRequest) -> None:
        """A sign of life from work in this process, during which nothing else is done here."""
        self._heed(stop)
        self._report()

    def _heed(self, stop: StopRequest) -> None:
        """Say that a signal has come, once, and count its grace from then on."""
        if stop.name is None or self.stop_at is not None:
            return
        self.ending.stopped, self.stop_at = f"stopped by {stop.name}", self.clock.now() + self.cluster.grace
        self.display.say(f"{stop.name}: finishing what is under way, beginning nothing new; once more to stop at once")

    def _check_silence(self) -> None:
        """Stop when no work is under way and no actor becomes ready: resources that are never granted are silent."""
        waiting, timeout = not self.scheduler.busy and not self.scheduler.finished, self.cluster.start_timeout
        if waiting and self.clock.now() - self.last_event > timeout:
            self.ending.stopped = f"no actor has become ready for {timeout:.0f} s: {self.executor.request()}"
            self.scheduler.stopping = True

    def _report(self) -> None:
        """Show how far the run is, on the display and in status.json."""
        busy = self.scheduler.busy.values()
        self.count.under_way = sum(len(shard.items) * read_pulse(self.publisher.pulse(shard.id)) for shard in busy)
        self.display.show(self.count, busy_line(self.scheduler.busy.values()))
        ending = None if self.stop_at is None else f"{self.ending.stopped}: finishing what is under way"
        self.status.write("running", self.count, self._workers(), ending)

    def _workers(self) -> list[dict[str, Any]]:
        return [
            {
                "slot": number,
                "where": self.executor.where(number),
                "model": slot.model,
                "doing": slot.shard.label if slot.shard else None,
                "items": len(slot.shard.items) if slot.shard else 0,
                "since": self.began.get(number),
            }
            for number, slot in self.scheduler.slots.items()
        ]
