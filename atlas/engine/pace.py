"""How long shards take, learnt from those that are done; and how much of what waits makes a shard of the wanted seconds."""

from collections import deque
from collections.abc import Collection

from atlas.records import Receipt, Shard

LONG = 2.0  # times the wanted seconds from which on a shard is cut


class Pace:
    """The rates that a run has measured, by what shards work on. Without a first shard there is none, and none is assumed."""

    def __init__(self, seconds: float) -> None:
        """seconds: of work that are wanted between two commits of an actor."""
        self.seconds = seconds
        self._rates: dict[str, float] = {}  # seconds of a multiply-add, by label
        self._last: dict[str, float] = {}  # of the last shard
        self._batches: dict[str, int] = {}  # items that fit at once, by label, where that is fewer than there were

    def learn(self, shard: Shard, receipt: Receipt) -> None:
        """Take in how long a shard has taken."""
        if shard.cost > 0 and receipt.seconds > 0:
            rate = receipt.seconds / shard.cost
            # the slower of the last two: one of dead images is quick and says nothing of the next
            self._rates[shard.label] = max(rate, self._last.get(shard.label, rate))
            self._last[shard.label] = rate
        if receipt.batch < shard.together:
            self._batches[shard.label] = max(1, receipt.batch)

    def expected(self, shard: Shard) -> float | None:
        """Seconds that a shard will take; None: nothing like it has been done yet."""
        rate = self._rates.get(shard.label)
        return None if rate is None else rate * shard.cost

    def take(self, queue: deque[Shard], *, most: int, fixed: Collection[str]) -> Shard:
        """Take from the front of a queue what is to be one shard: what stands there, joined with what follows, or a part.

        Items that are worked on together stay so, however a shard is made up: their images have the same bytes.
        most: shards of the queue that may be joined. fixed: ids of those that stay as they are.
        """
        first = queue.popleft()
        seconds = self.expected(first)
        if seconds is None or first.id in fixed:
            return first
        if seconds > LONG * self.seconds:
            return self._part(first, seconds, queue)
        shards = [first]
        while queue and len(shards) < most and queue[0].id not in fixed and first.continues_in(queue[0]):
            seconds += self._rates[first.label] * queue[0].cost
            if seconds > self.seconds:
                break
            shards.append(queue.popleft())
        return first if len(shards) == 1 else first.joined(shards[1:])

    def _part(self, shard: Shard, seconds: float, queue: deque[Shard]) -> Shard:
        """The front of a shard that would take too long, cut between two batches; the rest goes back."""
        batch = self._batches.get(shard.label)
        if batch is None or not shard.continues_in(shard):
            return shard
        # a batch never reaches from one run of items into the next
        size = min(shard.runs[0], max(1, int(len(shard.items) * self.seconds / seconds / batch)) * batch)
        if size >= len(shard.items):
            return shard
        queue.appendleft(shard.only(shard.items[size:]))
        return shard.only(shard.items[:size])
