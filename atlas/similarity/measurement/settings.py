"""What an actor that measures layers for a bank knows from the beginning, and the shards that it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.engine.work import WorkSettings
from atlas.records import Shard
from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.tables.label_tests import Labels


@dataclass(frozen=True)
class MeasurementSettings(WorkSettings):
    """A bank that every worker sees, and the pictures of the probe that its layers are measured on."""

    bank: Path
    probe: str
    pictures: tuple[str, ...]  # ids, in the order of their roles
    roles: PictureRoles
    weights: Mapping[str, str]  # of each model, those that a response must be of
    labels: Mapping[str, Labels]  # of the pictures, for each model; none where they were made for features
    examples: int  # pictures that are kept of each feature
    seed: int  # of the rotations


@dataclass(frozen=True, slots=True)
class LayerShard(Shard):
    """Layers to be measured."""

    items: tuple[LayerSpan, ...]

    @property
    def label(self) -> str:
        return "measuring layers"
