"""What a product hands to the engine: plain settings, and a function that begins work with them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.config.schema import ClusterConfig, ModelConfig
from atlas.records import ModelCard, Receipt
from atlas.store.paths import AtlasPaths

# Called once in each actor, with the name of the model that the actor pins. The function that it returns makes one
# shard after another. It is a `functools.partial` of a product's `begin(settings, model)`, so that it travels to an
# actor by name.
Work = Callable[[str], Callable[[Any], Receipt]]


@dataclass(frozen=True)
class WorkSettings:
    """What every work needs to know."""

    root: Path  # of the atlas
    device: str  # cpu or cuda
    nonce: str  # name of a file in staging/: a worker that does not see it does not see the atlas


@dataclass(frozen=True)
class ModelSettings(WorkSettings):
    """What a work needs to know that pins a model."""

    models: dict[str, ModelConfig]
    cards: dict[str, ModelCard]
    cluster: ClusterConfig


def check_atlas_is_shared(settings: WorkSettings) -> None:
    """RuntimeError when this machine does not see the driver's atlas."""
    if not (AtlasPaths(settings.root).staging / settings.nonce).exists():
        raise RuntimeError(
            f"{settings.root} is not the atlas's folder on this machine: every node must see the same one"
        )
