"""What an actor that looks at pictures knows from the beginning, and the shards that it is sent."""

from dataclasses import dataclass

from atlas.config.schema import ProbeConfig
from atlas.engine.work import ModelSettings
from atlas.records import Shard
from atlas.similarity.atlas_images import Picture


@dataclass(frozen=True)
class ProbeSettings(ModelSettings):
    """A model to pin, and the sets of pictures there are."""

    probes: dict[str, ProbeConfig]


@dataclass(frozen=True, slots=True)
class PictureShard(Shard):
    """Pictures of one probe that a model looks at, and the layers whose responses are wanted."""

    items: tuple[Picture, ...]
    probe: str
    layers: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.model} looks at {self.probe}"
