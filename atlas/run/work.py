"""The works of the jobs, as plain values: what every actor of a run is told once, and the shards that it is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.config.schema import ClusterConfig, ModelConfig, ProbeConfig, RecipeConfig
from atlas.records import ImageShard, ModelCard, Receipt, Shard
from atlas.similarity.compare.blocks import Block, Comparison
from atlas.similarity.probe.pictures import Picture
from atlas.store.paths import AtlasPaths

if TYPE_CHECKING:
    from atlas.zoo.load import Loaded


@dataclass(frozen=True)
class ModelWork:
    """What a work needs that pins a model."""

    root: Path
    models: dict[str, ModelConfig]
    cards: dict[str, ModelCard]
    device: str  # cpu or cuda
    cluster: ClusterConfig
    nonce: str  # name of a file in staging/: who does not see it does not see the atlas

    def pinned(self, model: str) -> "Loaded":
        """A model on its device; RuntimeError when its weights here are not those that were planned for."""
        from atlas.zoo.load import load  # torch comes with it: the driver holds this record without

        check_place(self.root, self.nonce)
        loaded, wanted = load(model, self.models[model], device=self.device), self.cards[model].digest
        if loaded.digest != wanted:
            raise RuntimeError(f"the weights of {model} here are not those of the plan: {loaded.digest}, not {wanted}")
        return loaded


@dataclass(frozen=True)
class ImageWork(ModelWork):
    """`atlas generate`: images of features."""

    recipes: dict[str, RecipeConfig]
    constants: dict[str, float]  # C by metric
    homes: frozenset[str]  # variants whose images have plain names
    full: bool = False  # whether it is kept what every channel of a layer does along the way

    def begin(self, model: str) -> Callable[[ImageShard], Receipt]:
        """Load a model and pin it; the function that is returned makes its shards, one after another."""
        from atlas.generate.maker import Maker

        return Maker(self, self.pinned(model), self.cards[model]).make


@dataclass(frozen=True, slots=True)
class PictureShard(Shard):
    """Pictures of one probe that a model looks at, and the layers whose responses are wanted."""

    items: tuple[Picture, ...]
    probe: str
    layers: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.model} looks at {self.probe}"


@dataclass(frozen=True)
class ResponseWork(ModelWork):
    """The first half of `atlas similarity`: what pictures do to channels."""

    probes: dict[str, ProbeConfig]

    def begin(self, model: str) -> Callable[[PictureShard], Receipt]:
        """Load a model and pin it, as for images."""
        from atlas.similarity.probe.worker import Prober

        return Prober(self, self.pinned(model), self.cards[model]).probe


@dataclass(frozen=True, slots=True)
class BlockShard(Shard):
    """Blocks of features to be compared with all others of a bank."""

    items: tuple[Block, ...]

    @property
    def label(self) -> str:
        return "comparing features"


@dataclass(frozen=True)
class CompareWork:
    """The second half of `atlas similarity`: neighbors, from a bank that every worker sees."""

    root: Path
    bank: Path
    asked: Comparison
    device: str
    nonce: str

    def begin(self, model: str) -> Callable[[BlockShard], Receipt]:
        """Open the bank; there is no model to be pinned."""
        from atlas.similarity.compare.worker import Comparing

        check_place(self.root, self.nonce)
        return Comparing(self).compare


def check_place(root: Path, nonce: str) -> None:
    """RuntimeError when this machine does not see the driver's atlas."""
    if not (AtlasPaths(root).staging / nonce).exists():
        raise RuntimeError(f"{root} is not the atlas's folder on this machine: every node must see the same one")
