"""Which slot loads which model, now and next, and which actors are of no more use."""

from collections.abc import Iterator

from atlas.engine.backlog import Backlog
from atlas.engine.slots import Slot, Slots


def next_start(slots: Slots, backlog: Backlog) -> tuple[Slot, str] | None:
    """A slot that should load a model, and the model; None: there is none.

    Empty slots come first. An idle actor changes its model only when more shards wait than slots come for them.
    """
    waiting = _waiting(slots, backlog)
    if not waiting:
        return None
    for slot in slots.empty.values():
        if (model := _neediest(slot, waiting, slots, backlog)) is not None:
            return slot, model
    # those that hold the same model are all alike
    for idle in (next(iter(alike.values())) for alike in slots.idle.values() if alike):
        if (model := _neediest(idle, _crowded(waiting, slots, backlog), slots, backlog)) is not None:
            return idle, model
    return None


def following(slot: Slot, slots: Slots, backlog: Backlog) -> str | None:
    """The model that a slot will probably load once it has done its shard; None: it goes on with its own, or ends."""
    if slot.model is None or len(backlog[slot.model]) >= slots.holding[slot.model]:
        return None
    return _neediest(slot, _crowded(_waiting(slots, backlog), slots, backlog), slots, backlog)


def _waiting(slots: Slots, backlog: Backlog) -> list[str]:
    """The models of which more shards wait than actors are on their way to them."""
    return [model for model, queue in backlog.items() if len(queue) > len(slots.starting[model])]


def _crowded(waiting: list[str], slots: Slots, backlog: Backlog) -> list[str]:
    """Those of which more shards wait than slots have them."""
    return [model for model in waiting if len(backlog[model]) > slots.holding[model]]


def _neediest(free: Slot, waiting: list[str], slots: Slots, backlog: Backlog) -> str | None:
    """The model that gains most from one more slot: one without any, else the most work for each slot."""
    holding = slots.holding
    takes = [model for model in waiting if model != free.model and not free.refuses(model)]
    return max(takes, key=lambda m: (holding[m] == 0, backlog.costs[m] / (holding[m] + 1)), default=None)


def surplus(slots: Slots, backlog: Backlog) -> Iterator[Slot]:
    """The slots whose actors have nothing to wait for, now that no shard waits. Vacate each before asking for the next.

    As many idle actors of a model stay as shards are under way: these may come back, or turn out late.
    """
    for model in backlog:
        starting, idle = slots.starting[model], slots.idle[model]
        while len(starting) + len(idle) > slots.holding[model] - len(starting) - len(idle):
            yield next(iter((starting or idle).values()))
