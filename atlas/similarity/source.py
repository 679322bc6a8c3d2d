"""What an atlas holds that can be compared: its models, as they were last asked for, its images and features."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.records import Address, ModelCard
from atlas.similarity.atlas_images import AtlasImage, atlas_images, features_of
from atlas.store.manifest import read_manifest
from atlas.store.paths import AtlasPaths
from atlas.zoo.card_pool import read_cards


@dataclass(frozen=True)
class Source:
    """An atlas as similarity finds it."""

    paths: AtlasPaths
    models: dict[str, ModelConfig]
    cards: dict[str, ModelCard]
    made: list[AtlasImage]
    features: list[str]  # that have an image made with the weights of now

    @property
    def layers(self) -> dict[str, list[str]]:
        """The layers of each model that have such a feature."""
        found: dict[str, dict[str, None]] = {}
        for feature in map(Address.parse, self.features):
            found.setdefault(feature.model, {})[feature.layer] = None
        return {model: list(layers) for model, layers in found.items()}

    @property
    def gpus(self) -> int:
        """CUDA devices that this machine shows."""
        return next((card.gpus for card in self.cards.values()), 0)

    def left_out(self) -> list[str]:
        """A sentence for each model some of whose features have images of other weights only."""
        said = []
        for name, card in self.cards.items():
            made = {str(one.picture.feature) for one in self.made if one.model == name}
            other = len(made.difference(self.features))
            if other:
                said.append(f"{other:,} features of {name} have no image made with {card.provenance}, and are left out")
        return said

    def why_nothing(self) -> str:
        """Why there is no feature to be compared."""
        if not self.made:
            return "there is no image yet: make some with `atlas generate`"
        held = ", ".join(sorted({f"{one.model} with {one.weights}" for one in self.made}))
        models = ", ".join(f"{name} with {card.provenance}" for name, card in self.cards.items())
        return f"the images are of {held}, but the models are now {models}: generate images with these weights"


def read_held(paths: AtlasPaths, known: dict[str, ModelCard]) -> Source:
    """Read it; known: cards of models that were read already. NotAnAtlas, ConfigError."""
    manifest = read_manifest(paths.manifest)
    models = models_of(paths, manifest)
    read, mistakes = read_cards({name: model for name, model in models.items() if name not in known})
    if mistakes:
        raise ConfigError(mistakes)
    cards = {name: known.get(name) or read[name] for name in models}
    made = atlas_images(paths, manifest, cards)
    return Source(paths, models, cards, made, features_of(made, cards))


def models_of(paths: AtlasPaths, manifest: dict[str, Any]) -> dict[str, ModelConfig]:
    """The models of an atlas by name, as config/ has them; ConfigError for one that stands in no config."""
    names = list(dict.fromkeys(variant["model"] for variant in manifest["variants"]))
    found: dict[str, ModelConfig] = {}
    for models in _newest_first(paths.config):
        for name in names:
            if name in models and name not in found:
                found[name] = _typed(models[name])
        if len(found) == len(names):
            break
    missing = [name for name in names if name not in found]
    if missing:
        raise ConfigError([f"{paths.config}: no config there tells of model {name}" for name in missing])
    return {name: found[name] for name in names}


def _newest_first(folder: Path) -> Iterator[Any]:
    """The models of each invocation; their folders are named by time."""
    for path in sorted(folder.glob("*/config.yaml"), reverse=True):
        said: Any = OmegaConf.load(path)
        yield said.get("models", {})


def _typed(model: Any) -> ModelConfig:
    found: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(ModelConfig), model))
    return found
