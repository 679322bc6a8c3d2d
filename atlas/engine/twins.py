"""Shards that two slots have at once: a late one was sent a second time, and whoever is done first counts."""

from atlas.records import Shard


class Twins:
    """By shard: the slot that had it first, and that of the copy."""

    def __init__(self) -> None:
        self._pairs: dict[str, tuple[int, int]] = {}

    def __contains__(self, shard: Shard) -> bool:
        return shard.id in self._pairs

    def pair(self, shard: Shard, first: int, copy: int) -> None:
        """A second slot is sent a shard."""
        self._pairs[shard.id] = first, copy

    def is_copy(self, shard: Shard, slot: int) -> bool:
        """Whether a slot is the second one that has a shard."""
        return shard in self and self._pairs[shard.id][1] == slot

    def part(self, shard: Shard, slot: int) -> int | None:
        """Have the slots of a shard share it no longer; the other one, if there is one."""
        first, copy = self._pairs.pop(shard.id, (slot, None))
        return copy if first == slot else first
