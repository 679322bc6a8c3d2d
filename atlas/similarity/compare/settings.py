"""What an actor that compares features knows from the beginning, and the shards that it is sent."""

from dataclasses import dataclass
from pathlib import Path

from atlas.engine.work import WorkSettings
from atlas.records import Shard
from atlas.similarity.compare.blocks import Block, Comparison


@dataclass(frozen=True)
class CompareSettings(WorkSettings):
    """A bank that every worker sees, and what is computed from it."""

    bank: Path
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class BlockShard(Shard):
    """Blocks of features to be compared with all others of a bank."""

    items: tuple[Block, ...]

    @property
    def label(self) -> str:
        return "comparing features"
