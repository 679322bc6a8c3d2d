"""`python -m atlas.engine.ray_child FD`: the process that holds Ray. Commands of the driver in, reports of its actors out.

It hears no signals, so that Ray is never interrupted, and it ends with the driver, whatever state Ray is in.
"""

import os
import queue
import signal
import sys
import threading
import time
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any

from atlas.engine.events import Event
from atlas.engine.executor import ClusterError
from atlas.engine.ray_executor import RayExecutor
from atlas.engine.ray_messages import EVERY_SLOT, Opening, Refusal, Report
from atlas.engine.ray_nodes import living_nodes
from atlas.engine.signals import SIGNALS

LOOK = 0.2  # seconds that Ray is asked for events, while a command may wait
ANSWER = 0.02  # seconds that the driver may take to answer an event with a command
REPORT_EVERY = 1.0  # seconds between two reports, though nothing has happened


class Child:
    """Carries out the driver's commands, and reports."""

    def __init__(self, pipe: Connection, executor: RayExecutor) -> None:
        self.pipe, self.executor = pipe, executor
        self.commands: queue.SimpleQueue[tuple[str, int, tuple[Any, ...]]] = queue.SimpleQueue()
        self.actors: Counter[int] = Counter()  # by slot: the number that the driver has given its actor
        threading.Thread(target=self._read, daemon=True).start()

    def serve(self) -> None:
        """Work until the driver closes the cluster."""
        reported = 0.0
        while self._obey():
            events = [(self._actor(event), event) for event in self.executor.poll(LOOK)]
            if time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                where = {slot: self.executor.where(slot) for slot in self.actors}
                self.pipe.send(Report(events, where, self.executor.request()))
            elif events:
                self.pipe.send(Report(events))

    def _actor(self, event: Event) -> int:
        return self.actors[getattr(event, "slot", -1)]

    def _obey(self) -> bool:
        """Carry out the commands that have come; False after the last one."""
        while True:
            try:
                name, actor, words = self.commands.get(timeout=ANSWER)
            except queue.Empty:
                return True
            slot, *others = words
            if slot == EVERY_SLOT:
                getattr(self.executor, name)(*others)
            else:
                self.actors[slot] = actor
                getattr(self.executor, name)(slot, *others)
            if name == "close":
                return False

    def _read(self) -> None:
        """Take commands off the pipe; where the driver is gone, so is this process and all of its Ray, however stuck."""
        try:
            while True:
                self.commands.put(self.pipe.recv())
        except (EOFError, OSError):
            os.killpg(os.getpid(), signal.SIGKILL)


def _deaf() -> None:
    """Hear no signals. A handler, not SIG_IGN, which Ray's own processes would inherit."""
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: None)


def main(descriptor: int) -> None:
    """Start Ray or join it, as the first message says; answer with Opening or Refusal; then serve."""
    _deaf()
    pipe = Connection(descriptor)
    work, shape, address = pipe.recv()
    try:
        executor = RayExecutor(work, shape, address)
    except ClusterError as error:
        return pipe.send(Refusal(str(error)))
    # Ray takes SIGTERM for itself
    _deaf()
    addresses = {} if _is_client(address) else executor.addresses()
    pipe.send(Opening(executor.slots, executor.request(), addresses, tuple(living_nodes())))
    return Child(pipe, executor).serve()


def _is_client(address: str | None) -> bool:
    """Whether Ray is reached through a server of its own, whose machines need not be seen from here."""
    return address is not None and address.startswith("ray://")


if __name__ == "__main__":
    main(int(sys.argv[1]))
