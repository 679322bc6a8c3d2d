"""What is selected of each model: the layers, channels and targets that a config names, read once, with every mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from atlas.config.mistakes import ConfigError, collect
from atlas.records import Layer, ModelCard, Target
from atlas.sweep.channels import channel_mistakes, parse_channels, select_channels
from atlas.sweep.layer_choice import layer_mistakes, select_layers, wanted_globs
from atlas.sweep.targets import make_targets, target_mistakes


class Selecting(Protocol):
    """A config that names layers, channels and a target: a sweep's, a dream's."""

    layers: Any
    channels: Any
    target: dict[str, Any]
    models: dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """Layers, channels and targets, as they were asked for."""

    globs: list[str]
    ranges: list[slice | int]
    targets: list[Target]

    def layers(self, card: ModelCard) -> list[Layer]:
        """Those of a model, in order of execution."""
        return select_layers(self.globs, card)

    def channels(self, layer: Layer) -> tuple[int, ...]:
        """Those of a layer, in the order in which they were asked for."""
        return select_channels(self.ranges, layer)


def read_selection(config: Selecting, cards: Mapping[str, ModelCard], *, sized: bool = True) -> Selection:
    """ConfigError with every mistake; with fewer cards than models, only with those that no card is needed to see.

    sized: whether the maps are as large as the cards say; a dream's are as large as its picture makes them.
    """
    mistakes: list[str] = []
    ranges = collect(mistakes, partial(parse_channels, config.channels))
    targets = collect(mistakes, partial(make_targets, config.target))
    globs = wanted_globs(config.layers)
    if len(cards) == len(config.models):
        mistakes += layer_mistakes(globs, dict(cards))
        for name, card in cards.items():
            layers = select_layers(globs, card)
            if layers and ranges is not None:
                mistakes += channel_mistakes(ranges, name, layers)
            if targets is not None and (layers or not sized):
                held = layers if sized else []
                mistakes += [text for target in targets for text in target_mistakes(target, card, held)]
    if mistakes or ranges is None or targets is None:
        raise ConfigError(mistakes)
    return Selection(globs, ranges, targets)
