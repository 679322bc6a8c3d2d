"""What the driver needs of an executor, and the one without Ray: a worker in this process."""

from typing import Protocol

from atlas.engine.events import Event
from atlas.engine.work import Work
from atlas.engine.worker import Worker
from atlas.records import Shard


class ClusterError(Exception):
    """The cluster that was asked for cannot be had."""


class Executor(Protocol):
    """Carries out start, send and kill; reports what happened. Slots are numbered from 0."""

    slots: int

    def start(self, slot: int, model: str) -> None:
        """Make a new worker in a slot, and let it load a model."""
        ...

    def send(self, slot: int, shard: Shard) -> None:
        """Give a shard to the worker of a slot, which is ready."""
        ...

    def kill(self, slot: int) -> None:
        """End the worker of a slot; nothing of it is reported any more."""
        ...

    def poll(self, timeout: float) -> list[Event]:
        """What has happened since the last call; waits up to `timeout` seconds for something to happen."""
        ...

    def where(self, slot: int) -> str:
        """`host:pid` of a slot's worker, as far as it is known."""
        ...

    def request(self) -> str:
        """What the cluster was asked for, for somebody whose actors never come."""
        ...

    def close(self) -> None:
        """End all workers, and leave the cluster."""
        ...


class InlineExecutor:
    """`cluster=inline`: one worker in this process. `poll` does the work, so it returns when a shard is done."""

    slots = 1

    def __init__(self, work: Work, threads: int) -> None:
        self.work, self.threads = work, threads
        self.worker = Worker(0, threads)
        self._next: str | Shard | None = None

    def start(self, slot: int, model: str) -> None:
        self.worker = Worker(slot, self.threads)
        self._next = model

    def send(self, slot: int, shard: Shard) -> None:
        self._next = shard

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

    def close(self) -> None:
        self.worker = Worker(0, self.threads)
