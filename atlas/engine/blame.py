"""Who is to blame when work fails or kills its actor: one item, which is found by halving or by its worker's note; or nobody."""

from collections import Counter
from collections.abc import Sequence

from atlas.engine.backlog import Backlog
from atlas.engine.events import Fail
from atlas.engine.slots import Slots
from atlas.records import Shard

DEATHS = 2  # on so many nodes, without a notice, condemn a shard; where no other node has its model: so many in all
MOST_DEATHS = 4  # condemn it in any case, so that what kills every actor of one node comes to an end
LOOK = 8  # shards at the front of a queue among which one is looked for that a node may have
Places = tuple[int, ...]  # in a shard, of the items that were under way when its actor died; (): nobody knows


class Blame:
    """The faults that shards are charged with. A death whose node had said that it would leave is charged to nobody."""

    def __init__(self, backlog: Backlog, slots: Slots) -> None:
        self.backlog, self.slots = backlog, slots
        self.attempts: Counter[str] = Counter()  # by shard
        self.suspects: set[str] = set()  # shards one of whose items a worker has died of: which one is to be found
        self.most: dict[str, int] = {}  # items at once that the machines' memory was too small for, halved, by label
        self._deaths: dict[str, Counter[str]] = {}  # by shard: the nodes on which it died, and how often

    def deaths(self, shard: Shard) -> Counter[str]:
        """The nodes on which a shard's actors have died, and how often."""
        return self._deaths.get(shard.id, Counter())

    def may_try(self, shard: Shard, node: str) -> bool:
        """Whether a shard may be sent to a node: not to one where it has died, if there is another with its model."""
        deaths = self.deaths(shard)
        return node not in deaths or not self.slots.elsewhere(shard.model, deaths)

    def place_for(self, queue: Sequence[Shard], node: str) -> int | None:
        """The first place of a queue's beginning whose shard may be sent to a node; None: there is none."""
        places = range(min(len(queue), LOOK))
        return next((place for place in places if self.may_try(queue[place], node)), None)

    def is_suspect(self, shard: Shard) -> bool:
        """Whether an actor has died of a shard: it is sent to one actor at a time."""
        return shard.id in self.suspects or shard.id in self._deaths

    def at_once(self, shard: Shard) -> int | None:
        """How many of a shard's items may be worked on at once; None: as many as fit."""
        return 1 if shard.id in self.suspects else self.most.get(shard.label)

    def charge(self, shard: Shard, node: str) -> None:
        """Count a death of a shard's actor on a node."""
        self._deaths.setdefault(shard.id, Counter())[node] += 1

    def died(self, shard: Shard, places: Places, node: str, *, error_type: str, reason: str) -> list[Fail]:
        """A shard's actor has died: what was under way is charged, and halved or given up where it is to blame."""
        suspect = self._isolated(shard, places)
        self.charge(suspect, node)
        if self._is_guilty(suspect):
            return self.split(suspect, error_type, reason)
        self.backlog.put_back(suspect)
        return []

    def starved(self, shard: Shard, places: Places) -> bool:
        """A shard's machine had too little memory: half as many items at once from now on. Whether that is possible."""
        together = len(places) or self.most.get(shard.label, shard.together)
        self.most[shard.label] = max(1, together // 2)
        return together > 1

    def split(self, shard: Shard, error_type: str, message: str) -> list[Fail]:
        """Halve a shard that cannot be done whole; down at one item, that item has failed."""
        if len(shard.items) == 1:
            return [Fail(shard, error_type, message, self.attempts[shard.id])]
        middle = len(shard.items) // 2
        for items in (shard.items[middle:], shard.items[:middle]):
            half = shard.only(items)
            self.attempts[half.id] = self.attempts[shard.id]
            self.backlog.put_back(half)
        return []

    def _is_guilty(self, suspect: Shard) -> bool:
        """Whether a shard is to blame for the deaths of its actors, and not their nodes."""
        deaths = self.deaths(suspect)
        if len(deaths) >= DEATHS:
            return True
        return deaths.total() >= (MOST_DEATHS if self.slots.elsewhere(suspect.model, deaths) else DEATHS)

    def _isolated(self, shard: Shard, places: Places) -> Shard:
        """The items that were under way when an actor died, as a shard; the shard's others go out again uncharged."""
        under_way = tuple(item for place, item in enumerate(shard.items) if place in places)
        if not under_way:
            return shard
        suspect = shard if len(under_way) == len(shard.items) else shard.only(under_way)
        self.suspects.add(suspect.id)
        if suspect is shard:
            return shard
        others = shard.only(tuple(item for place, item in enumerate(shard.items) if place not in places))
        self.attempts[suspect.id] = self.attempts[others.id] = self.attempts[shard.id]
        self.backlog.put_back(others)
        return suspect
