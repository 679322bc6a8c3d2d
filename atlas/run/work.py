"""The work of `atlas generate`, as plain values: what every actor of a run is told once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atlas.config.schema import ClusterConfig, ModelConfig, RecipeConfig
from atlas.records import ModelCard, Receipt, Shard
from atlas.store.paths import AtlasPaths


@dataclass(frozen=True)
class ImageWork:
    """What every actor of a run is told once: pickled, so plain values only."""

    root: Path
    models: dict[str, ModelConfig]
    cards: dict[str, ModelCard]
    recipes: dict[str, RecipeConfig]
    constants: dict[str, float]  # C by metric
    homes: frozenset[str]  # variants whose images have plain names
    device: str  # cpu or cuda
    cluster: ClusterConfig
    nonce: str  # name of a file in staging/: who does not see it does not see the atlas

    def begin(self, model: str) -> Callable[[Shard], Receipt]:
        """Load a model and pin it; the function that is returned makes its shards, one after another."""
        from atlas.run.maker import Maker  # torch comes with it: the driver holds this record without
        from atlas.zoo.load import load

        if not (AtlasPaths(self.root).staging / self.nonce).exists():
            raise RuntimeError(
                f"{self.root} is not the atlas's folder on this machine: every node must see the same one"
            )
        loaded = load(model, self.models[model], device=self.device)
        card = self.cards[model]
        if loaded.digest != card.digest:
            raise RuntimeError(
                f"the weights of {model} here are not those of the plan: {loaded.digest}, not {card.digest}"
            )
        return Maker(self, loaded, card).make
