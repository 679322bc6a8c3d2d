"""How long shards take, learnt from those that are done; and how much of what waits makes a shard of the wanted seconds."""

from collections import deque
from collections.abc import Collection

from atlas.records import Receipt, Shard

LONG = 2.0  # times the wanted seconds from which on a shard is cut


class Pace:
    """The rates that a run has measured, by what shards work on. Without a first shard there is none, and none is assumed.

    A slot goes by its own rates, as one card differs from another; before it has any, by those of the others.
    """

    def __init__(self, seconds: float) -> None:
        """seconds: of work that are wanted between two commits of an actor."""
        self.seconds = seconds
        self._all = _Rates()
        self._own: dict[int, _Rates] = {}  # by slot

    def learn(self, shard: Shard, receipt: Receipt, slot: int = 0) -> None:
        """Take in how long a shard has taken, and in which slot."""
        for rates in (self._all, self._own.setdefault(slot, _Rates())):
            rates.learn(shard, receipt)

    def forget(self, slot: int) -> None:
        """Forget what a slot was measured at: a new actor is made for it, which may live elsewhere."""
        self._own.pop(slot, None)

    def expected(self, shard: Shard, slot: int = 0) -> float | None:
        """Seconds that a shard will take in a slot; None: nothing like it has been done yet."""
        rate = self._rates(shard, slot).slower.get(shard.label)
        return None if rate is None else rate * shard.cost

    def _rates(self, shard: Shard, slot: int) -> "_Rates":
        own = self._own.get(slot)
        return self._all if own is None or shard.label not in own.slower else own

    def take(self, queue: deque[Shard], *, most: int, fixed: Collection[str], slot: int = 0) -> Shard:
        """Take from the front of a queue what is to be one shard: what stands there, joined with what follows, or a part.

        Items that are worked on together stay so, however a shard is made up: their images have the same bytes.
        most: shards of the queue that may be joined. fixed: ids of those that stay as they are. slot: whose it will be.
        """
        first = queue.popleft()
        seconds, rates = self.expected(first, slot), self._rates(first, slot)
        if seconds is None or first.id in fixed:
            return first
        if seconds > LONG * self.seconds:
            return self._part(first, seconds, queue, rates.batches.get(first.label))
        shards = [first]
        rate = rates.slower[first.label]
        while queue and len(shards) < most and queue[0].id not in fixed:
            seconds += rate * queue[0].cost
            if seconds > self.seconds or not first.continues_in(queue[0]):
                break
            shards.append(queue.popleft())
        return first if len(shards) == 1 else first.joined(shards[1:])

    def _part(self, shard: Shard, seconds: float, queue: deque[Shard], batch: int | None) -> Shard:
        """The front of a shard that would take too long, cut between two batches; the rest goes back."""
        if batch is None or not shard.continues_in(shard):
            return shard
        # a batch never reaches from one run of items into the next
        size = min(shard.runs[0], max(1, int(len(shard.items) * self.seconds / seconds / batch)) * batch)
        if size >= len(shard.items):
            return shard
        queue.appendleft(shard.only(shard.items[size:]))
        return shard.only(shard.items[:size])


class _Rates:
    """How long the work of each label takes, and how much of it fits at once."""

    def __init__(self) -> None:
        self.slower: dict[str, float] = {}  # seconds of a multiply-add: the slower of the last two shards'
        self.last: dict[str, float] = {}
        self.batches: dict[str, int] = {}  # items that fit at once, where that is fewer than there were

    def learn(self, shard: Shard, receipt: Receipt) -> None:
        if shard.cost > 0 and receipt.seconds > 0:
            rate = receipt.seconds / shard.cost
            # one of dead images is quick and says nothing of the next
            self.slower[shard.label] = max(rate, self.last.get(shard.label, rate))
            self.last[shard.label] = rate
        if receipt.batch < shard.together:
            self.batches[shard.label] = max(1, receipt.batch)
