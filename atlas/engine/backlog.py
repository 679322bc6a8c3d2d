"""What waits: the shards that nobody works on, in a queue for each model."""

from collections import deque
from collections.abc import Iterable

from atlas.engine.pace import Pace
from atlas.records import Shard


class Backlog(dict[str, deque[Shard]]):
    """The queues by model, largest shards first, so that the tail is short; what comes back goes in front."""

    def __init__(self, shards: Iterable[Shard], pace: Pace | None) -> None:
        """pace: joins and cuts shards to the seconds that are wanted of them; None: all are sent as they are."""
        super().__init__()
        self.pace = pace
        self.fixed: set[str] = set()  # shards that came back: they go out again as they were
        for shard in sorted(shards, key=lambda shard: -shard.cost):
            self.setdefault(shard.model, deque()).append(shard)
        self.costs = {model: sum(shard.cost for shard in queue) for model, queue in self.items()}

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not any(self.values())

    def put_back(self, shard: Shard) -> None:
        """Have a shard go out again, before the others."""
        self.fixed.add(shard.id)
        self[shard.model].appendleft(shard)
        self.costs[shard.model] += shard.cost

    def take(self, model: str, place: int, *, slot: int, sharing: int) -> Shard:
        """Take out what a slot is sent: the shard at a place, or at the front what the pace makes of it.

        That is no more than half of each slot's share, so that the tail is short. sharing: slots that work on the queue.
        """
        queue = self[model]
        if self.pace is None or place > 0:
            shard = queue[place]
            del queue[place]
        else:
            shard = self.pace.take(queue, most=len(queue) // (2 * sharing), fixed=self.fixed, slot=slot)
        self.costs[model] -= shard.cost
        return shard

    def give_up(self, model: str) -> None:
        """Forget what waits of a model."""
        self[model].clear()
        self.costs[model] = 0.0
