"""Cards and sweeps by hand, so that planning is tested without a network."""

from functools import partial

from atlas.config.mistakes import collect
from atlas.config.schema import (
    ClusterConfig,
    MetricConfig,
    ModelConfig,
    OctaveConfig,
    RecipeConfig,
    SweepConfig,
)
from atlas.records import Layer, ModelCard
from atlas.sweep.plan import make_plan
from atlas.sweep.recipe_fit import Material

MACS = 10_000_000


def layer(name: str, index: int, channels: int, side: int = 8) -> Layer:
    return Layer(name, index, "Conv2d", channels, side, side, "", MACS * (index + 1), 4 * channels * side * side)


def card(name: str = "alpha", digest: str = "d0", gpus: int = 0) -> ModelCard:
    """Five layers in order of execution, of which `default` means two."""
    layers = (
        layer("stem", 0, 8, 16),
        layer("block1", 1, 12),
        layer("block1.conv", 2, 12),
        layer("block2", 3, 20, 4),
        layer("head", 4, 10, 1),
    )
    return ModelCard(name, "none(seed 0)", digest, 64, layers, ("stem", "block2"), gpus)


def recipe(**changes) -> RecipeConfig:
    octaves = [OctaveConfig(size=64, steps=10, lr=[0.4, 0.3], sigma=[2.4, 0.8]), OctaveConfig(steps=5)]
    return RecipeConfig(**{"name": "test", "start": [0.5, 0.6], "octaves": octaves} | changes)


def metrics(*names: str) -> dict[str, MetricConfig]:
    return {name: MetricConfig(None if name == "mean" else 200.0) for name in names}


def sweep(*models: str, **changes) -> SweepConfig:
    """A sweep of named models, each with what `card` says."""
    given = {
        "name": "test",
        "out": "outputs/test",
        "models": {name: ModelConfig(source="any") for name in models or ("alpha",)},
        "metrics": metrics("l1"),
        "target": {"kind": "channel"},
        "recipe": recipe(),
        "cluster": ClusterConfig(kind="inline", shard_seconds=1.0),
    }
    return SweepConfig(**given | changes)


def plan_mistakes(config: SweepConfig, cards: dict[str, ModelCard], material: Material | None = None) -> list[str]:
    """Everything that keeps a sweep from being planned."""
    mistakes: list[str] = []
    collect(mistakes, partial(make_plan, config, cards, material))
    return mistakes
