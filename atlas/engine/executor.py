"""What the driver needs of an executor, and the one without Ray: a worker in this process."""

from dataclasses import dataclass
from typing import Protocol

from atlas.engine.attempt import Attempt
from atlas.engine.events import Event
from atlas.engine.watchers import Sight
from atlas.engine.work import Work
from atlas.engine.worker import Worker


class ClusterError(Exception):
    """The cluster that was asked for cannot be had."""


class ClusterGone(Exception):
    """The cluster on which a run was at work is no longer there, or does not answer; what it has committed stands."""


@dataclass(frozen=True)
class ActorShape:
    """How many actors, and what each holds."""

    count: int | None  # None: as many as a running cluster can hold
    cpus: int
    gpus: float  # 0 for CPU actors
    most: int  # never more than there is work for
    accelerators: tuple[str, ...] = ()  # names of the cards that will do; (): any


class Executor(Protocol):
    """Carries out start, send and kill; reports what happened, and which slots join and leave meanwhile."""

    slots: int  # that there are at the beginning, numbered from 0

    def start(self, slot: int, model: str) -> None:
        """Make a new worker in a slot, and let it load a model."""
        ...

    def load(self, slot: int, model: str) -> None:
        """Let the worker of a slot, which is idle, load another model."""
        ...

    def send(self, slot: int, attempt: Attempt) -> None:
        """Give a shard to the worker of a slot, which is ready."""
        ...

    def kill(self, slot: int) -> None:
        """End the worker of a slot; nothing of it is reported any more."""
        ...

    def poll(self, timeout: float) -> list[Event]:
        """What has happened since the last call; waits up to `timeout` seconds for something to happen.

        ClusterGone: nothing more will happen.
        """
        ...

    def where(self, slot: int) -> str:
        """`host:pid` of a slot's worker, as far as it is known."""
        ...

    def request(self) -> str:
        """What the cluster was asked for, for somebody whose actors never come."""
        ...

    def watch(self, sight: Sight) -> None:
        """Show those who watch the cluster how far the run is."""
        ...

    def close(self) -> None:
        """End all workers, and leave the cluster, within seconds."""
        ...


class InlineExecutor:
    """`cluster=inline`: one worker in this process. `poll` does the work, so it returns when a shard is done."""

    slots = 1

    def __init__(self, work: Work, threads: int) -> None:
        self.work, self.threads = work, threads
        self.worker = Worker(0, threads)
        self._next: str | Attempt | None = None

    def start(self, slot: int, model: str) -> None:
        self.worker = Worker(slot, self.threads)
        self._next = model

    def load(self, slot: int, model: str) -> None:
        self._next = model

    def send(self, slot: int, attempt: Attempt) -> None:
        self._next = attempt

    def kill(self, slot: int) -> None:
        self.worker, self._next = Worker(slot, self.threads), None

    def poll(self, timeout: float) -> list[Event]:
        task, self._next = self._next, None
        if task is None:
            return []
        return [self.worker.setup(self.work, task) if isinstance(task, str) else self.worker.run(task)]

    def where(self, slot: int) -> str:
        return self.worker.where()

    def request(self) -> str:
        return "one worker in this process"

    def watch(self, sight: Sight) -> None:
        pass

    def close(self) -> None:
        self.worker = Worker(0, self.threads)
