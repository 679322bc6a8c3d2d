"""The driver's loop: events of the executor go into the scheduler, and its commands are carried out.

The only part with a clock: it also notices work that hangs, actors that never come, and requests to stop.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from atlas.config.schema import ClusterConfig
from atlas.engine.account import Account
from atlas.engine.attempt import Attempt, read_note
from atlas.engine.clock import Clock
from atlas.engine.commits import Commits
from atlas.engine.event_word import EventWord
from atlas.engine.events import (
    Abandon,
    Command,
    Commit,
    Died,
    Event,
    Fail,
    Halt,
    Interrupted,
    Joined,
    Kill,
    Load,
    Lost,
    Pause,
    Send,
    Start,
    Starved,
)
from atlas.engine.executor import ClusterGone, Executor
from atlas.engine.overdue import Overdue
from atlas.engine.pace import Pace
from atlas.engine.progress import Count, Display, StatusFile, busy_line
from atlas.engine.publisher import Publisher
from atlas.engine.pulse import listening
from atlas.engine.scheduler import TROUBLES, Scheduler
from atlas.engine.signals import StopRequest
from atlas.engine.under_way import items_done, worker_rows
from atlas.engine.watchers import Sight, Watcher
from atlas.records import Receipt, Shard
from atlas.store.manifest import now

POLL = 1.0  # seconds that the executor may wait for an event
LOOK_EVERY = 1.0  # seconds between two looks at all that is under way, and two reports of it


@dataclass
class Ending:
    """How a run ended."""

    stopped: str | None = None  # why it ended before its work did
    abandoned: dict[str, str] = field(default_factory=dict)  # model: why it could not be loaded


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
        watchers: Sequence[Watcher] = (),
    ) -> None:
        """fail: records the one item of a shard that has failed for good."""
        self.executor, self.publisher, self.fail = executor, publisher, fail
        self.cluster, self.clock = patience.cluster, patience.clock
        self.count, self.display, self.status = count, display, status
        self.watchers = [executor, *watchers]
        self.commits = Commits(publisher, self.clock, display.say)
        self.ending = Ending()
        self.account = Account()
        self.overdue = Overdue(patience.cluster.deadline, patience.rate)
        self.began: dict[int, str] = {}  # by slot: the date at which it began what it does
        self.notes: dict[int, Path] = {}  # by slot: where its worker notes which items are under way
        self.word = EventWord(executor, publisher, display, of_nodes=self.cluster.kind == "ray")
        self.error: Exception | None = None  # of a commit, which ends the run
        self.stop_at: float | None = None  # when the grace after a signal is over
        self.next_look = self.next_report = 0.0

    def run(self, shards: Iterable[Shard], stop: StopRequest) -> Ending:
        """Work until every shard is settled, or until somebody or something stops the run."""
        self.scheduler = Scheduler(shards, Pace(self.cluster.shard_seconds))
        try:
            self._drive(stop)
        except ClusterGone as gone:
            self.ending.stopped = self.ending.stopped or str(gone)
        finally:
            self.commits.close()
        self._count_commits()
        self.account.close(self.clock.now())
        self._show_watchers()
        self.publisher.log("account", stage=self.count.unit, seconds=self.account.seconds)
        return self.ending

    def _drive(self, stop: StopRequest) -> None:
        for slot in range(self.executor.slots):
            self._feed(Joined(slot))
        self.last_event = self.clock.now()
        while not (self.scheduler.finished and self.commits.idle):
            if self.scheduler.finished:
                self._count_commits(POLL)
            else:
                self._poll(stop)
                self._count_commits()
            if self.error is not None:
                raise self.error
            self._report()

    def _poll(self, stop: StopRequest) -> None:
        """Take in what has happened, and what has not for too long."""
        with listening(partial(self._heard, stop)):
            events = self.executor.poll(POLL)
        joined = sum(isinstance(event, Joined) for event in events)
        if joined:
            self.display.say(f"nodes have joined: {joined} more actor{'s' * (joined > 1)}")
        for event in events:
            self.last_event = self.clock.now()
            self._feed(event)
        for event in [*self._overdue(), *self._stops(stop)]:
            self._feed(event)
        self._check_silence()

    def _feed(self, event: Event) -> None:
        if isinstance(event, Died | Lost | Starved):
            event = replace(event, places=read_note(self.notes.get(event.slot)))
        self.word.tell(event)
        self.account.take(event, self.clock.now())
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
        return self._stop_for_storage()

    def _stop_for_storage(self) -> None:
        self.scheduler.stopping = True
        self.ending.stopped = "the atlas cannot be written; does every node see it?"

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, Start | Load | Send | Kill):
            self.account.take(command, self.clock.now())
        match command:
            case Start(slot, model) | Load(slot, model):
                self._restart_timer(slot)
                self.publisher.log("start", slot=slot, model=model)
                (self.executor.start if isinstance(command, Start) else self.executor.load)(slot, model)
            case Send(slot, shard, most, copy, following):
                self._restart_timer(slot)
                self.executor.send(slot, Attempt(shard, most, self._new_note(slot), copy, following))
            case Kill(slot):
                self.executor.kill(slot)
            case Commit():
                self.overdue.learn(command.receipt.seconds)
                self.commits.begin(command)
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
            self.commits.discard(self.notes[slot])
        self.notes[slot] = self.publisher.new_note()
        return self.notes[slot]

    def _count_commits(self, seconds: float = 0.0) -> None:
        """Count the shards that have been published meanwhile; wait up to so many seconds for one."""
        for command, error in self.commits.ended(seconds):
            if isinstance(error, OSError):
                self._stop_for_storage()
            elif error is not None:  # another run has taken the atlas over
                self.error = error
            else:
                self._count(command.receipt, command.shard)

    def _count(self, receipt: Receipt, shard: Shard) -> None:
        self.count.add(done=receipt.ok + receipt.dead, dead=receipt.dead, failed=receipt.failed)
        for note in receipt.notes:
            self.publisher.log("note", shard=shard.id, message=note)
            self.display.say(note)

    def _restart_timer(self, slot: int) -> None:
        self.overdue.restart(slot, self.clock.now())
        self.began[slot] = now()

    def _overdue(self) -> list[Event]:
        """The slots whose work has hung; and the late ones, if there is an actor to spare for them."""
        now, busy = self.clock.now(), self.scheduler.busy
        if now < self.next_look:
            return []
        self.next_look = now + LOOK_EVERY
        late = self.overdue.late(busy, now, self.scheduler.pace) if self.scheduler.idle else ()
        return [*self.overdue.hung(busy, now), *late]

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
        self._count_commits()
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
        now = self.clock.now()
        if now < self.next_report:
            return
        self.next_report = now + LOOK_EVERY
        busy = {shard.id: shard for shard in self.scheduler.busy.values()}
        self.count.under_way = items_done(list(busy.values()), self.publisher.pulse)
        self.display.show(self.count, busy_line(busy.values()))
        ending = None if self.stop_at is None else f"{self.ending.stopped}: finishing what is under way"
        workers = worker_rows(self.scheduler.slots, self.executor.where, self.began)
        self.status.write("running", self.count, workers, ending)
        self._show_watchers()

    def _show_watchers(self) -> None:
        """Show those who watch how far the run is, in numbers."""
        numbers = {
            "done": self.count.done_in_all,
            "failed": self.count.failed_in_all,
            "left": self.count.left,
            "per_second": self.count.rate or 0.0,
            "actors": len(self.scheduler.slots),
            "busy": len(self.scheduler.busy),
            "kept_seconds": sum(self.account.kept.values()),
            "lost_seconds": sum(self.account.lost.values()),
        }
        for watcher in self.watchers:
            watcher.watch(Sight(self.publisher.paths.name, self.count.unit, numbers))
