"""Publishes finished shards beside the driver's loop, several at once: each waits for the storage, and no actor for that."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from atlas.engine.clock import Clock
from atlas.engine.events import Commit
from atlas.engine.publisher import Publisher

THREADS = 16  # commits at once: at 5 ms for each of its dozen calls, one thread makes some 15 a second
TRIES = 5  # of storage that fails, with a pause twice as long each time
FENCE = 1.0  # seconds that an actor may take to die after it was killed, before its files are replaced


class Commits:
    """The shards that are being published. Whoever began them asks which are done."""

    def __init__(self, publisher: Publisher, clock: Clock, say: Callable[[str], None]) -> None:
        """say: tells a person that storage fails for the moment."""
        self.publisher, self.clock, self.say = publisher, clock, say
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="atlas-commit")
        self._pending: dict[Future[None], Commit] = {}
        self._broken = Event()  # the storage has failed for good: nothing more is tried

    @property
    def idle(self) -> bool:
        """Whether nothing is being published."""
        return not self._pending

    def begin(self, command: Commit) -> None:
        """Publish a shard, soon."""
        self._pending[self._pool.submit(self._publish, command)] = command

    def wait(self, seconds: float) -> None:
        """Wait until a shard is published, or fails, but no longer than so many seconds."""
        wait(self._pending, seconds, FIRST_COMPLETED)

    def done(self) -> list[tuple[Commit, BaseException | None]]:
        """The shards that have been published since the last call; and those that could not be, with why."""
        done = [future for future in self._pending if future.done()]
        return [(self._pending.pop(future), future.exception()) for future in done]

    def close(self) -> None:
        """Publish what has been begun."""
        self._pool.shutdown()

    def _publish(self, command: Commit) -> None:
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
