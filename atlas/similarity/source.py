"""What an atlas holds that can be compared: its models as they were last configured,
its images and its features.
"""

from dataclasses import dataclass

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.records import Address, ModelCard
from atlas.similarity.atlas_images import AtlasImage, atlas_images, features_of
from atlas.store.manifest import read_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.recorded_models import recorded_models
from atlas.zoo.card_reader import read_cards


@dataclass(frozen=True)
class Source:
    """An atlas, as similarity reads it before it begins."""

    paths: AtlasPaths
    models: dict[str, ModelConfig]
    cards: dict[str, ModelCard]
    images: list[AtlasImage]
    features: list[str]  # those that have an image made with the current weights

    @property
    def layers(self) -> dict[str, list[str]]:
        """The layers of each model that have such a feature."""
        by_model: dict[str, dict[str, None]] = {}
        for feature in map(Address.parse, self.features):
            by_model.setdefault(feature.model, {})[feature.layer] = None
        return {model: list(layers) for model, layers in by_model.items()}

    @property
    def gpus(self) -> int:
        """CUDA devices that this machine shows."""
        return next((card.gpus for card in self.cards.values()), 0)

    def left_out(self) -> list[str]:
        """A sentence for each model some of whose features have images of other weights only."""
        sentences = []
        for name, card in self.cards.items():
            shown = {str(image.picture.feature) for image in self.images if image.model == name}
            others = len(shown.difference(self.features))
            if others:
                sentences.append(
                    f"{others:,} features of {name} have no image made with {card.provenance}, and are left out"
                )
        return sentences

    def why_nothing(self) -> str:
        """Why there is no feature to be compared."""
        if not self.images:
            return "there is no image yet: make some with `atlas generate`"
        kinds = ", ".join(sorted({f"{image.model} with {image.weights}" for image in self.images}))
        models = ", ".join(f"{name} with {card.provenance}" for name, card in self.cards.items())
        return f"the images are of {kinds}, but the models are now {models}: generate images with these weights"


def read_source(paths: AtlasPaths, cards: dict[str, ModelCard]) -> Source:
    """Read an atlas; cards: of models that were read already. NotAnAtlas, ConfigError."""
    manifest = read_manifest(paths.manifest)
    models = recorded_models(paths, manifest)
    new_cards, mistakes = read_cards({name: model for name, model in models.items() if name not in cards})
    if mistakes:
        raise ConfigError(mistakes)
    all_cards = cards | new_cards
    cards = {name: all_cards[name] for name in models}
    images = atlas_images(paths, manifest, cards)
    return Source(paths, models, cards, images, features_of(images, cards))
