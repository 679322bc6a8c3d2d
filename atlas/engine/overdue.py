"""Which work takes too long: much longer than it should, so that it counts as hung; or so long that another may try it."""

from collections.abc import Iterator, Mapping

from atlas.engine.events import Late, Lost
from atlas.engine.pace import Pace
from atlas.records import Shard

HUNG = 6.0  # times the usual seconds of a shard after which it counts as hung
LATE = 2.0  # times the usual seconds after which an idle actor tries it, too
SHORT = 1.0  # seconds that no shard is late before


class Overdue:
    """Since when each slot is at what it does, and how long it may take."""

    def __init__(self, deadline: float, rate: float) -> None:
        """deadline: seconds that anything may take. rate: multiply-adds per second that an actor is expected to do."""
        self.deadline, self.rate = deadline, rate
        self.slowest = 0.0  # seconds of the slowest shard so far
        self._since: dict[int, float] = {}  # by slot

    def restart(self, slot: int, now: float) -> None:
        """A slot begins something."""
        self._since[slot] = now

    def learn(self, seconds: float) -> None:
        """A shard has taken so long."""
        self.slowest = max(self.slowest, seconds)

    def hung(self, busy: Mapping[int, Shard], now: float) -> Iterator[Lost]:
        """The slots whose work has been silent for longer than any work should be."""
        for slot, shard in busy.items():
            limit = self._limit(shard)
            if now - self._since[slot] > limit:
                yield Lost(slot, f"no answer for {limit:.0f} s")

    def late(self, busy: Mapping[int, Shard], now: float, pace: Pace | None) -> Iterator[Late]:
        """The slots whose work takes much longer than the like of it has taken."""
        for slot, shard in busy.items():
            expected = None if pace is None else pace.expected(shard, slot)
            usual = max(SHORT, expected or self.slowest or self.deadline)
            if now - self._since[slot] > LATE * usual:
                yield Late(slot)

    def _limit(self, shard: Shard) -> float:
        """Seconds that a shard may take: several times the usual, and several times what its cost lets expect."""
        return max(self.deadline, HUNG * self.slowest, HUNG * shard.cost / self.rate)
