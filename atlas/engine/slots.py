"""The slots of a run, filed by what each is at, so that none has to be looked for among the others."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from atlas.records import Shard

SETUPS = 3  # failed loads of a model in a slot before it is not tried there again; in no slot: it is given up


@dataclass(eq=False)
class Slot:
    """Room for one actor: without a model it is empty, without a shard it is idle (once ready)."""

    number: int
    model: str | None = None
    ready: bool = False
    fresh: bool = True  # whether its actor was made for the model that it holds, and had no other before
    shard: Shard | None = None
    sent: int = 0  # how many shards had been sent to all slots when this slot was sent its own, that one included
    node: str = ""  # id of its actor's node
    machine: str = ""  # kind of device that its actor works on
    draining: bool = False  # its node leaves: nothing more is begun here
    failures: Counter[str] = field(default_factory=Counter)  # loads that failed here in a row, by model

    def refuses(self, model: str) -> bool:
        """Whether a model has failed to load here too often."""
        return self.failures[model] >= SETUPS


Filed = dict[int, Slot]  # by number, in the order in which they were filed


class Slots(dict[int, Slot]):
    """Every slot by number. A slot changes inside `changing` alone, which files it anew: at a cost that no other slot adds to."""

    def __init__(self) -> None:
        super().__init__()
        self.busy: dict[int, Shard] = {}  # the shards that are under way, by slot
        self.empty: Filed = {}
        self.idle: defaultdict[str, Filed] = defaultdict(dict)  # by model: those that are ready and have no shard
        self.starting: defaultdict[str, Filed] = defaultdict(dict)  # by model: those that load it
        self.holding: Counter[str] = Counter()  # by model: slots whose actor has it, or loads it
        self.nodes: defaultdict[str, Counter[str]] = defaultdict(Counter)  # by model: slots that are ready, by node

    def join(self, number: int) -> None:
        """Take in a new slot; one that is there already stays as it is."""
        if number not in self:
            self[number] = Slot(number)
            self._file(self[number])

    def leave(self, slot: Slot) -> None:
        """Forget a slot."""
        self._take_out(slot)
        del self[slot.number]

    @contextmanager
    def changing(self, slot: Slot) -> Iterator[Slot]:
        """Change a slot's state inside."""
        self._take_out(slot)
        yield slot
        self._file(slot)

    def vacate(self, slot: Slot) -> None:
        """Its actor is gone."""
        with self.changing(slot):
            slot.model, slot.ready, slot.shard = None, False, None

    def elsewhere(self, model: str, nodes: Counter[str]) -> bool:
        """Whether a model is ready on a node that is none of these, and stays."""
        # a dictionary of those few at most is run through before one is found that is not among them
        return any(node not in nodes for node, slots in self.nodes[model].items() if slots)

    def _file(self, slot: Slot) -> None:
        if slot.model is None:
            self.empty[slot.number] = slot
            return
        self.holding[slot.model] += 1
        if not slot.ready:
            self.starting[slot.model][slot.number] = slot
            return
        if not slot.draining:
            self.nodes[slot.model][slot.node] += 1
        if slot.shard is None:
            self.idle[slot.model][slot.number] = slot
        else:
            self.busy[slot.number] = slot.shard

    def _take_out(self, slot: Slot) -> None:
        if slot.model is None:
            del self.empty[slot.number]
            return
        self.holding[slot.model] -= 1
        if not slot.ready:
            del self.starting[slot.model][slot.number]
            return
        if not slot.draining:
            nodes = self.nodes[slot.model]
            nodes[slot.node] -= 1
            if not nodes[slot.node]:
                del nodes[slot.node]
        if slot.shard is None:
            del self.idle[slot.model][slot.number]
        else:
            del self.busy[slot.number]
