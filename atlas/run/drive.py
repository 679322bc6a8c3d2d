"""The driver's loop: what happens goes into the scheduler, what it commands is carried out. The only part with a clock."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from atlas.config.schema import ClusterConfig
from atlas.records import Receipt, Shard
from atlas.run.events import (
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
)
from atlas.run.executor import Executor
from atlas.run.progress import Count, Display, StatusFile, busy_line
from atlas.run.scheduler import TROUBLES, Scheduler
from atlas.run.signals import StopRequest
from atlas.store.manifest import now

POLL = 1.0  # seconds
USUAL = 6.0  # times the usual seconds of a shard after which it counts as hung


@dataclass
class Ending:
    """How a run ended."""

    stopped: str | None = None  # why it ended before its work did
    abandoned: dict[str, str] = field(default_factory=dict)  # model: why it could not be loaded


@dataclass(frozen=True)
class Watch:
    """How patient a driver is."""

    cluster: ClusterConfig  # grace, deadline, start_timeout
    rate: float  # multiply-adds per second that an actor is expected to do


class Keeper(Protocol):
    """Where what becomes of shards is kept: those that are finished, the items that failed, and a diary."""

    def commit(self, receipt: Receipt, shard: Shard) -> None: ...
    def fail(self, command: Fail) -> None: ...
    def log(self, event: str, **facts: Any) -> None: ...


class Driver:
    """One run of a scheduler over an executor, committing into a keeper."""

    def __init__(
        self,
        executor: Executor,
        keeper: Keeper,
        *,
        watch: Watch,
        count: Count,
        display: Display,
        status: StatusFile,
    ) -> None:
        self.executor, self.keeper, self.watch = executor, keeper, watch
        self.count, self.display, self.status = count, display, status
        self.ending = Ending()
        self.since: dict[int, float] = {}  # when a slot began what it does
        self.began: dict[int, str] = {}  # the same as a date
        self.slowest = 0.0
        self.stop_at: float | None = None  # when the grace after a signal is over

    def run(self, shards: Iterable[Shard], stop: StopRequest) -> Ending:
        """Until everything is settled, or somebody or something stops it."""
        self.scheduler = Scheduler(shards)
        for slot in range(self.executor.slots):
            self._feed(Joined(slot))
        self.last_heard = monotonic()
        while not self.scheduler.finished:
            for event in self.executor.poll(POLL):
                self.last_heard = monotonic()
                self._feed(event)
            for event in [*self._overdue(), *self._asked_to_stop(stop)]:
                self._feed(event)
            self._check_silence()
            self._tell()
        return self.ending

    def _feed(self, event: Event) -> None:
        self._note(event)
        for command in self.scheduler.handle(event):
            self._persist(command)

    def _persist(self, command: Command) -> None:
        """Carry a command out; storage that fails is tried again for a while, and then ends the run, resumably."""
        for attempt in range(TROUBLES):
            try:
                return self._carry_out(command)
            except OSError as error:
                self.display.say(f"trouble with storage, trying again in {2**attempt} s: {error}")
                time.sleep(2**attempt)
        self.scheduler.stopping = True
        self.ending.stopped = "the atlas cannot be written; does every node see it?"
        return None

    def _carry_out(self, command: Command) -> None:
        match command:
            case Start(slot, model):
                self._mark(slot)
                self.keeper.log("start", slot=slot, model=model)
                self.executor.start(slot, model)
            case Send(slot, shard):
                self._mark(slot)
                self.executor.send(slot, shard)
            case Kill(slot):
                self.executor.kill(slot)
            case Commit(shard, receipt):
                self._commit(receipt, shard)
            case Fail():
                self.keeper.fail(command)
                self.count.add(failed=1)
            case Abandon(model, message):
                self.ending.abandoned[model] = message
                self.display.say(f"{model} is given up, its {self.count.unit} stay left to do: {message}")
            case Pause(seconds, message):
                self.display.say(f"trouble with storage, trying again in {seconds:.0f} s: {message}")
                time.sleep(seconds)
            case Halt(message):
                self.ending.stopped = message

    def _commit(self, receipt: Receipt, shard: Shard) -> None:
        self.slowest = max(self.slowest, receipt.seconds)
        self.keeper.commit(receipt, shard)
        self.count.add(done=receipt.ok + receipt.dead, dead=receipt.dead, failed=receipt.failed)
        for note in receipt.notes:
            self.keeper.log("note", shard=shard.id, message=note)
            self.display.say(note)

    def _note(self, event: Event) -> None:
        """Tell of what went wrong: in events.jsonl, and to the person who watches."""
        match event:
            case Died(slot, reason) | Lost(slot, reason) | SetupFailed(slot, reason) | Left(slot, reason):
                kind = type(event).__name__
                self.keeper.log("worker", slot=slot, what=kind, where=self.executor.where(slot), reason=reason)
                self.display.say(
                    f"worker {slot} ({self.executor.where(slot)}) {kind.lower()}: {reason.splitlines()[0]}"
                )
            case Failed(slot, shard, error_type, message):
                self.keeper.log("error", slot=slot, shard=shard, error_type=error_type, message=message)

    def _mark(self, slot: int) -> None:
        self.since[slot], self.began[slot] = monotonic(), now()

    def _overdue(self) -> list[Event]:
        """Work that has been silent for longer than any work should be."""
        late = {slot: self._allowed(shard) for slot, shard in self.scheduler.busy.items()}
        return [
            Lost(slot, f"no answer for {allowed:.0f} s")
            for slot, allowed in late.items()
            if monotonic() - self.since[slot] > allowed
        ]

    def _allowed(self, shard: Shard) -> float:
        """Seconds that a shard may take: several times the usual, and several times what its cost lets expect."""
        return max(self.watch.cluster.deadline, USUAL * self.slowest, USUAL * shard.cost / self.watch.rate)

    def _asked_to_stop(self, stop: StopRequest) -> list[Event]:
        if stop.name is None:
            return []
        if self.stop_at is None:
            self.ending.stopped, self.stop_at = f"stopped by {stop.name}", monotonic() + self.watch.cluster.grace
            self.display.say(
                f"{stop.name}: finishing what is under way, beginning nothing new; once more to stop at once"
            )
            return [Interrupted()]
        if monotonic() > self.stop_at:
            return [Lost(slot, "the grace after a signal is over") for slot in self.scheduler.busy]
        return []

    def _check_silence(self) -> None:
        """Stop when nothing is under way and no actor has come to be: resources that are never granted are silent."""
        waiting = not self.scheduler.busy and not self.scheduler.finished
        if waiting and monotonic() - self.last_heard > self.watch.cluster.start_timeout:
            self.ending.stopped = (
                f"no actor has become ready for {self.watch.cluster.start_timeout:.0f} s: {self.executor.asked()}"
            )
            self.scheduler.stopping = True

    def _tell(self) -> None:
        self.display.show(self.count, busy_line(self.scheduler.busy.values()))
        self.status.write("running", self.count, self._workers())

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
