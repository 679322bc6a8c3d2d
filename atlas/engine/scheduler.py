"""Decides which worker does what next: a pure state machine, events in, commands out.

No clock, no I/O, no Ray: it serves every executor, and a test can play any history of a cluster.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from atlas.engine.events import (
    Abandon,
    Command,
    Commit,
    Died,
    Done,
    Event,
    Fail,
    Failed,
    Halt,
    Interrupted,
    Joined,
    Kill,
    Left,
    Lost,
    Pause,
    Ready,
    Send,
    SetupFailed,
    Start,
    Starved,
    Trouble,
)
from atlas.engine.pace import Pace
from atlas.records import Receipt, Shard

DEATHS = 2  # of a shard's actors before the shard is bisected, or its only item given up
SETUPS = 3  # failed loads of a model in a slot before it is not tried there again; in no slot: it is given up
TROUBLES = 5  # storage errors in a row before the run stops


@dataclass
class Slot:
    """Room for one actor: without a model it is empty, without a shard it is idle (once ready)."""

    model: str | None = None
    ready: bool = False
    shard: Shard | None = None
    sent: int = 0  # how many shards had been sent to all slots when this slot was sent its own, that one included
    failures: Counter[str] = field(default_factory=Counter)  # loads that failed here in a row, by model

    def refuses(self, model: str) -> bool:
        """Whether a model has failed to load here too often."""
        return self.failures[model] >= SETUPS


class Scheduler:
    """Gives shards to slots. Feed it events, and carry out its commands in order, until it is `finished`."""

    def __init__(self, shards: Iterable[Shard], pace: Pace | None = None) -> None:
        """pace: joins and cuts shards to the seconds that are wanted of them; None: all are sent as they are."""
        self.pace = pace
        ordered = sorted(shards, key=lambda shard: -shard.cost)  # largest first, so the tail is short
        self.queues: dict[str, deque[Shard]] = {shard.model: deque() for shard in ordered}
        for shard in ordered:
            self.queues[shard.model].append(shard)
        self.remaining = {model: sum(shard.cost for shard in queue) for model, queue in self.queues.items()}
        self.slots: dict[int, Slot] = {}
        self.deaths: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.fixed: set[str] = set()  # shards that come back: they go out again as they were
        self.suspects: set[str] = set()  # shards one of whose items a worker has died of: which one is to be found
        self.most: dict[str, int] = {}  # items at once that the machines' memory was too small for, halved, by label
        self.troubles = 0
        self.sent = self.paused = 0  # shards sent so far, now and at the last pause
        self.stopping = False

    @property
    def busy(self) -> dict[int, Shard]:
        """The shards that are under way, by slot."""
        return {number: slot.shard for number, slot in self.slots.items() if slot.shard is not None}

    @property
    def finished(self) -> bool:
        """Whether no shard is under way and none will be sent."""
        return not self.busy and (self.stopping or not any(self.queues.values()))

    def handle(self, event: Event) -> list[Command]:
        """Take an event in; return the commands that follow from it."""
        slot = self.slots.get(getattr(event, "slot", -1))
        match event:
            case Joined(number):
                self.slots.setdefault(number, Slot())
            case Interrupted():
                self.stopping = True
            case _ if slot is not None:
                return [*self._change(slot, event), *self._assign()]
            case _:
                return []  # of a slot that has left: too late to matter
        return self._assign()

    def _change(self, slot: Slot, event: Event) -> list[Command]:
        """Change a slot as its event says, before the slot is given anything new."""
        match event:
            case Ready():
                slot.ready = True
                slot.failures.clear()
            case SetupFailed(_, reason):
                return self._setup_failed(slot, reason)
            case Done(_, receipt):
                return self._done(slot, receipt)
            case Failed(_, shard, error_type, message):
                return self._failed(slot, shard, error_type, message)
            case Trouble(_, shard, message):
                return self._trouble(slot, shard, message)
            case Lost(number, reason, places):
                return [Kill(number), *self._died(slot, reason, places)]
            case Died(_, reason, places):
                return self._died(slot, reason, places)
            case Starved(number, reason, places):
                return [Kill(number), *self._starved(number, reason, places)]
            case Left(number, reason):
                del self.slots[number]
                return self._died(slot, reason)
        return []

    def _done(self, slot: Slot, receipt: Receipt) -> list[Command]:
        shard = slot.shard
        if shard is None or shard.id != receipt.shard:
            return []  # of a shard that was split or sent elsewhere meanwhile: ignored
        slot.shard = None
        self.troubles = 0
        if self.pace is not None:
            self.pace.learn(shard, receipt)
        return [Commit(shard, receipt)]

    def _failed(self, slot: Slot, shard_id: str, error_type: str, message: str) -> list[Command]:
        shard = slot.shard
        if shard is None or shard.id != shard_id:
            return []
        slot.shard = None
        self.attempts[shard.id] += 1
        return self._split(shard, error_type, message)

    def _trouble(self, slot: Slot, shard_id: str, message: str) -> list[Command]:
        shard = slot.shard
        if shard is None or shard.id != shard_id:
            return []
        slot.shard = None
        self._requeue(shard)
        if slot.sent <= self.paused:
            return []  # sent before the last pause: the same trouble, heard from one more actor
        self.troubles, self.paused = self.troubles + 1, self.sent
        if self.troubles > TROUBLES:
            self.stopping = True
            return [Halt(message)]
        return [Pause(2.0 ** (self.troubles - 1), message)]

    def _died(self, slot: Slot, reason: str, places: tuple[int, ...] = ()) -> list[Command]:
        if slot.model is not None and not slot.ready:
            return self._setup_failed(slot, reason)
        shard = self._emptied(slot)
        if shard is None:
            return []
        return self._charge(self._isolated(shard, places), "ActorDied", reason)

    def _charge(self, suspect: Shard, error_type: str, reason: str) -> list[Command]:
        """Count a death; a shard with too many is halved, or its only item given up."""
        self.deaths[suspect.id] += 1
        if self.deaths[suspect.id] < DEATHS:
            self._requeue(suspect)
            return []
        return self._split(suspect, error_type, reason)

    def _emptied(self, slot: Slot) -> Shard | None:
        """Take from a slot what died with its actor: the shard, if anything has to be charged for that."""
        shard, slot.model, slot.ready, slot.shard = slot.shard, None, False, None
        if shard is None:
            return None
        if self.stopping:  # killed for the sake of the stop: no fault of the shard's
            self._requeue(shard)
            return None
        self.attempts[shard.id] += 1
        return shard

    def _isolated(self, shard: Shard, places: tuple[int, ...]) -> Shard:
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
        self._requeue(others)
        return suspect

    def _starved(self, number: int, reason: str, places: tuple[int, ...]) -> list[Command]:
        """Put less on a machine whose memory was too small: half as many items at once, and one slot fewer."""
        slot = self.slots[number]
        if len(self.slots) > 1:
            del self.slots[number]
        elif slot.model is not None and not slot.ready:
            return self._setup_failed(slot, reason)
        shard = self._emptied(slot)
        if shard is None:
            return []
        together = len(places) or self.most.get(shard.label, shard.together)
        self.most[shard.label] = max(1, together // 2)
        if together > 1 or number not in self.slots:
            self._requeue(shard)
            return []
        return self._charge(self._isolated(shard, places), "OutOfMemory", reason)

    def _most(self, shard: Shard) -> int | None:
        """How many of a shard's items may be worked on at once."""
        return 1 if shard.id in self.suspects else self.most.get(shard.label)

    def _setup_failed(self, slot: Slot, reason: str) -> list[Command]:
        model, slot.model, slot.ready = slot.model or "", None, False
        slot.failures[model] += 1
        others = [other for other in self.slots.values() if other is not slot]
        if not slot.refuses(model) or any(other.model == model or not other.refuses(model) for other in others):
            return []
        self.queues[model].clear()
        self.remaining[model] = 0.0
        return [Abandon(model, reason)]

    def _split(self, shard: Shard, error_type: str, message: str) -> list[Command]:
        """Halve a shard that cannot be done whole; down at one item, that item has failed."""
        if len(shard.items) == 1:
            return [Fail(shard, error_type, message, self.attempts[shard.id])]
        middle = len(shard.items) // 2
        for items in (shard.items[middle:], shard.items[:middle]):
            half = shard.only(items)
            self.attempts[half.id] = self.attempts[shard.id]
            self._requeue(half)
        return []

    def _requeue(self, shard: Shard) -> None:
        self.fixed.add(shard.id)
        self.queues[shard.model].appendleft(shard)
        self.remaining[shard.model] += shard.cost

    def _assign(self) -> list[Command]:
        """Give every idle slot a shard, and every empty one a model."""
        if self.stopping:
            return []
        commands: list[Command] = []
        for number, slot in self.slots.items():
            if slot.model is not None and (slot.shard is not None or not slot.ready):
                continue
            if slot.model is not None and self.queues[slot.model]:
                shard = self._take(slot)
                commands.append(Send(number, shard, self._most(shard)))
            elif (model := self._neediest(slot)) is not None:
                commands += [Kill(number)] if slot.model is not None else []
                slot.model, slot.ready = model, False
                commands.append(Start(number, model))
        return commands

    def _take(self, slot: Slot) -> Shard:
        slot.shard = self._next(slot.model or "")
        self.remaining[slot.shard.model] -= slot.shard.cost
        self.sent += 1
        slot.sent = self.sent
        return slot.shard

    def _next(self, model: str) -> Shard:
        """What is sent next of a model's queue: no more than half of each slot's share, so that the tail is short."""
        queue = self.queues[model]
        if self.pace is None:
            return queue.popleft()
        sharing = sum(slot.model == model for slot in self.slots.values())
        return self.pace.take(queue, most=len(queue) // (2 * sharing), fixed=self.fixed)

    def _neediest(self, free: Slot) -> str | None:
        """The model that gains most from one more slot: one without any, else the most work for each slot.

        An actor that holds another model is replaced only when more shards wait there than slots come for them.
        """
        others = [slot for slot in self.slots.values() if slot is not free]
        slots = Counter(slot.model for slot in others)
        starting = Counter(slot.model for slot in others if not slot.ready)
        waiting = [model for model, queue in self.queues.items() if queue and not free.refuses(model)]
        if free.model is None:
            waiting = [model for model in waiting if len(self.queues[model]) > starting[model]]
        else:
            waiting = [model for model in waiting if slots[model] == 0 or len(self.queues[model]) > slots[model]]
        return max(waiting, key=lambda m: (slots[m] == 0, self.remaining[m] / (slots[m] + 1)), default=None)
