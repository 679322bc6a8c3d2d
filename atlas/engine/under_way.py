"""What is under way, for those who watch: how much of it is done, and what each worker does."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from atlas.engine.pulse import read_pulse
from atlas.engine.slots import Slot
from atlas.records import Shard

PULSES = 16  # shards whose pulse is read: with more under way, some stand for all


def items_done(shards: Sequence[Shard], pulse: Callable[[str], Path]) -> float:
    """How many items of shards their pulses say are done. pulse: where that of a shard lies, by its id."""
    some = shards[:: 1 + len(shards) // PULSES]
    done = sum(len(shard.items) * read_pulse(pulse(shard.id)) for shard in some)
    return done * len(shards) / max(1, len(some))


def worker_rows(
    slots: Mapping[int, Slot], where: Callable[[int], str], since: Mapping[int, str]
) -> list[dict[str, Any]]:
    """What the worker of each slot does; where: its `host:pid`, since: the date at which it began."""
    return [
        {
            "slot": number,
            "where": where(number),
            "model": slot.model,
            "doing": slot.shard.label if slot.shard else None,
            "items": len(slot.shard.items) if slot.shard else 0,
            "since": since.get(number),
        }
        for number, slot in slots.items()
    ]
