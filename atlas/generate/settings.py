"""What every actor of `atlas generate` is told, once."""

from dataclasses import dataclass

from atlas.config.schema import RecipeConfig
from atlas.engine.work import ModelSettings
from atlas.sweep.compilation import Layers


@dataclass(frozen=True)
class ImageSettings(ModelSettings):
    """How the images of a sweep are made, and where they lie."""

    recipes: dict[str, RecipeConfig]  # by model
    constants: dict[str, float | None]  # C by metric
    default_variants: frozenset[str]  # those whose images have plain names
    compiled: Layers  # that are shown to torch's compiler
    full_trace: bool = False  # whether it is kept what every channel of a layer does along the way
