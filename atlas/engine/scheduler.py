"""Decides which worker does what next: a pure state machine, events in, commands out.

No clock, no I/O, no Ray: it serves every executor, and a test can play any history of a cluster.
"""

from collections.abc import Iterable

from atlas.engine.backlog import Backlog
from atlas.engine.blame import Blame, Places
from atlas.engine.events import (
    Abandon,
    Command,
    Commit,
    Died,
    Done,
    Draining,
    Event,
    Failed,
    Halt,
    Interrupted,
    Joined,
    Kill,
    Late,
    Left,
    Load,
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
from atlas.engine.slots import Slot, Slots
from atlas.engine.staffing import following, next_start, surplus
from atlas.engine.twins import Twins
from atlas.records import Receipt, Shard

TROUBLES = 5  # storage errors in a row before the run stops


class Scheduler:
    """Gives shards to slots. Feed it events, and carry out its commands in order, until it is `finished`.

    What an event costs depends on the number of models, and not on the number of slots or shards.
    """

    def __init__(self, shards: Iterable[Shard], pace: Pace | None = None) -> None:
        """pace: joins and cuts shards to the seconds that are wanted of them; None: all are sent as they are."""
        self.pace = pace
        self.queues = Backlog(shards, pace)
        self.slots = Slots()
        self.blame = Blame(self.queues, self.slots)
        self.twins = Twins()
        self.troubles = 0
        self.sent = self.paused = 0  # shards sent so far, now and at the last pause
        self.stopping = False

    @property
    def busy(self) -> dict[int, Shard]:
        """The shards that are under way, by slot."""
        return self.slots.busy

    @property
    def idle(self) -> bool:
        """Whether an actor is ready and has nothing to do."""
        return any(self.slots.idle.values())

    @property
    def finished(self) -> bool:
        """Whether no shard is under way and none will be sent."""
        return not self.busy and (self.stopping or self.queues.empty)

    def handle(self, event: Event) -> list[Command]:
        """Take an event in; return the commands that follow from it."""
        slot = self.slots.get(getattr(event, "slot", -1))
        match event:
            case Joined(number):
                self.slots.join(number)
            case Interrupted():
                self.stopping = True
            case _ if slot is not None:
                return [*self._change(slot, event), *self._retired(slot), *self._assign()]
            case _:
                return []  # of a slot that has left: too late to matter
        return self._assign()

    def _change(self, slot: Slot, event: Event) -> list[Command]:
        """Change a slot as its event says, before the slot is given anything new.

        What is heard of a shard that was split or sent elsewhere meanwhile is ignored.
        """
        shard = slot.shard
        match event:
            case Ready(_, node, machine):
                with self.slots.changing(slot):
                    slot.ready, slot.node, slot.machine = True, node, machine
                slot.failures.clear()
            case SetupFailed(_, reason):
                return self._setup_failed(slot, reason)
            case Done(_, receipt) if shard is not None and shard.id == receipt.shard:
                return self._done(slot, shard, receipt)
            case Failed(_, name, error_type, message) if shard is not None and shard.id == name:
                return self._failed(slot, shard, error_type, message)
            case Trouble(_, name, message) if shard is not None and shard.id == name:
                return self._trouble(slot, shard, message)
            case Lost(number, reason, places):
                return [Kill(number), *self._died(slot, reason, places, noticed=slot.draining)]
            case Died(_, reason, places, noticed):
                return self._died(slot, reason, places, noticed=noticed or slot.draining)
            case Starved(number, reason, places):
                return [Kill(number), *self._starved(slot, reason, places)]
            case Late():
                return self._late(slot)
            case Draining():
                with self.slots.changing(slot):
                    slot.draining = True
            case Left():
                self._hand_back(slot)
                self.slots.leave(slot)
        return []

    def _retired(self, slot: Slot) -> list[Command]:
        """Take a slot out once its node leaves and it has finished what it was at."""
        if not slot.draining or slot.shard is not None or slot.number not in self.slots:
            return []
        self.slots.leave(slot)
        return [] if slot.model is None else [Kill(slot.number)]

    def _done(self, slot: Slot, shard: Shard, receipt: Receipt) -> list[Command]:
        self.troubles = 0
        if self.pace is not None:
            self.pace.learn(shard, receipt, slot.number)
        is_copy = self.twins.is_copy(shard, slot.number)
        commands = self._end_twin(slot, shard)
        self._clear(slot)
        return [*commands, Commit(shard, receipt, fenced=is_copy)]

    def _end_twin(self, slot: Slot, shard: Shard) -> list[Command]:
        """End the other actor that has a shard, if there is one: its receipt would come too late."""
        twin = self._apart(slot, shard)
        if twin is None:
            return []
        self.slots.vacate(twin)
        return [Kill(twin.number), *self._retired(twin)]

    def _apart(self, slot: Slot, shard: Shard) -> Slot | None:
        """Have two slots that share a shard share it no longer; the other one, which goes on with it."""
        other = self.twins.part(shard, slot.number)
        return None if other is None else self.slots[other]

    def _clear(self, slot: Slot) -> None:
        with self.slots.changing(slot):
            slot.shard = None

    def _failed(self, slot: Slot, shard: Shard, error_type: str, message: str) -> list[Command]:
        commands = self._end_twin(slot, shard)
        self._clear(slot)
        self.blame.attempts[shard.id] += 1
        return [*commands, *self.blame.split(shard, error_type, message)]

    def _trouble(self, slot: Slot, shard: Shard, message: str) -> list[Command]:
        if self._apart(slot, shard) is None:
            self.queues.put_back(shard)
        self._clear(slot)
        if slot.sent <= self.paused:
            return []  # sent before the last pause: the same trouble, heard from one more actor
        self.troubles, self.paused = self.troubles + 1, self.sent
        if self.troubles > TROUBLES:
            self.stopping = True
            return [Halt(message)]
        return [Pause(2.0 ** (self.troubles - 1), message)]

    def _died(self, slot: Slot, reason: str, places: Places = (), *, noticed: bool = False) -> list[Command]:
        if slot.model is not None and not slot.ready and not noticed and slot.fresh:
            return self._setup_failed(slot, reason)
        # killed with its node, or for the sake of the stop
        if noticed or self.stopping:
            self._hand_back(slot)
            return []
        shard, goes_on = self._emptied(slot)
        if shard is None:
            return []
        if goes_on:
            self.blame.charge(shard, slot.node)
            return []
        return [*self.blame.died(shard, places, slot.node, error_type="ActorDied", reason=reason)]

    def _emptied(self, slot: Slot) -> tuple[Shard | None, bool]:
        """Take from a slot the shard that died with its actor; and whether another slot goes on with it."""
        shard = slot.shard
        self.slots.vacate(slot)
        if shard is None:
            return None, False
        self.blame.attempts[shard.id] += 1
        return shard, self._apart(slot, shard) is not None

    def _hand_back(self, slot: Slot) -> None:
        """Take a slot's shard and its actor from it; the shard goes out again uncharged."""
        shard = slot.shard
        self.slots.vacate(slot)
        if shard is not None and self._apart(slot, shard) is None:
            self.queues.put_back(shard)

    def _starved(self, slot: Slot, reason: str, places: Places) -> list[Command]:
        """Put less on a machine whose memory was too small: half as many items at once, and one slot fewer."""
        retires = len(self.slots) > 1
        if not retires and slot.model is not None and not slot.ready:
            return self._setup_failed(slot, reason)
        if self.stopping:
            self._hand_back(slot)
            return []
        shard, goes_on = self._emptied(slot)
        if retires:
            self.slots.leave(slot)
        if shard is None or goes_on:
            return []
        if self.blame.starved(shard, places) or retires:
            self.queues.put_back(shard)
            return []
        return [*self.blame.died(shard, places, slot.node, error_type="OutOfMemory", reason=reason)]

    def _late(self, slot: Slot) -> list[Command]:
        """Send a shard that takes too long to an idle actor as well, on the same kind of machine, once.

        One that an actor has died of is sent to one actor at a time.
        """
        shard = slot.shard
        if shard is None or self.stopping or shard in self.twins or self.blame.is_suspect(shard):
            return []
        for idle in self.slots.idle[shard.model].values():
            if idle.machine == slot.machine:
                self.twins.pair(shard, slot.number, idle.number)
                self._give(idle, shard)
                return [Send(idle.number, shard, self.blame.at_once(shard), copy=True)]
        return []

    def _setup_failed(self, slot: Slot, reason: str) -> list[Command]:
        model = slot.model or ""
        self.slots.vacate(slot)
        slot.failures[model] += 1
        others = (other for other in self.slots.values() if other is not slot)
        if not slot.refuses(model) or any(other.model == model or not other.refuses(model) for other in others):
            return []
        self.queues.give_up(model)
        return [Abandon(model, reason)]

    def _assign(self) -> list[Command]:
        """Give idle slots a shard each, and empty ones a model; end actors for which nothing is left."""
        if self.stopping:
            return []
        commands: list[Command] = []
        for model, queue in self.queues.items():
            while queue and (send := self._send_next(model)) is not None:
                commands.append(send)
        commands += self._staff()
        return [*commands, *self._shrink()] if self.busy and self.queues.empty else commands

    def _send_next(self, model: str) -> Send | None:
        """Send a shard of a model's queue to one of its idle slots; None: there is none, or none that may have it."""
        for slot in self.slots.idle[model].values():
            place = self.blame.place_for(self.queues[model], slot.node)
            if place is not None:
                sharing = self.slots.holding[model]
                shard = self.queues.take(model, place, slot=slot.number, sharing=sharing)
                self._give(slot, shard)
                next_model = following(slot, self.slots, self.queues)
                return Send(slot.number, shard, self.blame.at_once(shard), following=next_model)
        return None

    def _give(self, slot: Slot, shard: Shard) -> None:
        with self.slots.changing(slot):
            slot.shard = shard
        self.sent += 1
        slot.sent = self.sent

    def _staff(self) -> list[Command]:
        """Give models to empty slots, and to idle ones that another model needs more."""
        commands: list[Command] = []
        while (chosen := next_start(self.slots, self.queues)) is not None:
            slot, model = chosen
            is_empty = slot.model is None
            if is_empty and self.pace is not None:
                self.pace.forget(slot.number)
            with self.slots.changing(slot):
                slot.model, slot.ready, slot.fresh, slot.node = model, False, is_empty, ""
            commands.append(Start(slot.number, model) if is_empty else Load(slot.number, model))
        return commands

    def _shrink(self) -> list[Command]:
        """End actors that have nothing to wait for."""
        commands: list[Command] = []
        for slot in surplus(self.slots, self.queues):
            self.slots.vacate(slot)
            commands.append(Kill(slot.number))
        return commands
