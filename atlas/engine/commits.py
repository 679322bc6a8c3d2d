"""Publishes finished shards beside the driver's loop, several at once: each waits for the storage, and no actor for that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

from atlas.engine.clock import Clock
from atlas.engine.events import Commit
from atlas.engine.publisher import Publisher

THREADS = 16  # commits at once: at 5 ms for each of its dozen calls, one thread makes some 15 a second
TRIES = 5  # of storage that fails, with a pause twice as long each time
FENCE = 1.0  # seconds that an actor may take to die after it was killed, before its files are replaced

Ended = tuple[Commit, Exception | None]


class Commits:
    """The shards that are being published. Whoever began them asks which are done."""

    def __init__(self, publisher: Publisher, clock: Clock, say: Callable[[str], None]) -> None:
        """say: tells a person that storage fails for the moment."""
        self.publisher, self.clock, self.say = publisher, clock, say
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="atlas-commit")
        self._under_way = 0  # begun, and not yet told of
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._broken = Event()  # the storage has failed for good: nothing more is tried

    @property
    def idle(self) -> bool:
        """Whether nothing is being published."""
        return not self._under_way

    def begin(self, command: Commit) -> None:
        """Publish a shard, soon."""
        self._under_way += 1
        self._pool.submit(self._publish, command)

    def discard(self, path: Path) -> None:
        """Remove a file of staging/, some time; what stays is swept by the next run."""
        self._pool.submit(path.unlink, missing_ok=True)

    def ended(self, seconds: float = 0.0) -> list[Ended]:
        """The shards that were published since the last call, and those that could not be, with why.

        Waits up to so many seconds for the first.
        """
        ended: list[Ended] = []
        with suppress(Empty):
            ended.append(self._ended.get(timeout=seconds) if seconds else self._ended.get_nowait())
            while True:
                ended.append(self._ended.get_nowait())
        self._under_way -= len(ended)
        return ended

    def close(self) -> None:
        """Publish what has been begun."""
        self._pool.shutdown()

    def _publish(self, command: Commit) -> None:
        error: Exception | None = None
        try:
            self._try(command)
        except Exception as problem:
            error = problem
        self._ended.put((command, error))

    def _try(self, command: Commit) -> None:
        if command.fenced:
            self.clock.sleep(FENCE)
        for attempt in range(TRIES):
            try:
                return self.publisher.commit(command.receipt, command.shard)
            except OSError as error:
                if self._broken.is_set() or attempt == TRIES - 1:
                    self._broken.set()
                    raise
                self.say(f"trouble with storage, trying again in {2**attempt} s: {error}")
            self.clock.sleep(2**attempt)
        return None
