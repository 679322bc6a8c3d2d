"""What is selected of each model: the layers, channels and targets that a config names, read once, with every mistake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from atlas.config.mistakes import ConfigError, collect
from atlas.records import Layer, ModelCard, Target
from atlas.sweep.channels import Part, channel_mistakes, name_mistakes, parse_channels, select_channels
from atlas.sweep.layer_choice import layer_mistakes, names_layer, select_layers, wanted_globs
from atlas.sweep.targets import make_targets, target_mistakes

# what `channels` says unless it is told otherwise: of a sweep, of a dream
DEFAULTS = ("all", None)


class Selecting(Protocol):
    """A config that names layers, channels and a target: a sweep's, a dream's.

    `layers` is a word, a list of globs, or a mapping from globs to channels, beside which `channels` says nothing.
    """

    layers: Any
    channels: Any
    target: dict[str, Any]
    models: dict[str, Any]


class ChannelChoice(NamedTuple):
    """Channels that are asked of every layer that a glob names."""

    glob: str
    parts: list[Part]
    key: str  # where the config says so: `channels`, `layers.conv4`


@dataclass(frozen=True)
class Selection:
    """Layers, channels and targets, as they were asked for."""

    choices: list[ChannelChoice]
    targets: list[Target]

    def layers(self, card: ModelCard) -> list[Layer]:
        """Those of a model, in order of execution."""
        return select_layers([choice.glob for choice in self.choices], card)

    def channels(self, card: ModelCard, layer: Layer) -> tuple[int, ...]:
        """Those of a layer of a model, in the order in which they were asked for, each once."""
        parts = [part for choice in self.choices if names_layer(choice.glob, layer, card) for part in choice.parts]
        return select_channels(parts, layer)


def read_selection(config: Selecting, cards: Mapping[str, ModelCard], *, sized: bool = True) -> Selection:
    """ConfigError with every mistake; with fewer cards than models, only with those that no card is needed to see.

    sized: whether the maps are as large as the cards say; a dream's are as large as its picture makes them.
    """
    mistakes: list[str] = []
    choices = collect(mistakes, partial(_choices, config))
    targets = collect(mistakes, partial(make_targets, config.target))
    mistakes += _no_texts(config.layers)
    globs = _globs(config.layers)
    if len(cards) == len(config.models):
        mistakes += layer_mistakes(globs, dict(cards))
        for card in cards.values():
            layers = select_layers(globs, card)
            mistakes += _channel_mistakes(choices or [], card)
            if targets is not None and (layers or not sized):
                measured = layers if sized else []
                mistakes += [text for target in targets for text in target_mistakes(target, card, measured)]
    if mistakes or choices is None or targets is None:
        raise ConfigError(mistakes)
    return Selection(choices, targets)


def _no_texts(layers: Any) -> list[str]:
    """Names that a YAML file has as numbers or null: what was written there is lost."""
    words = list(layers) if isinstance(layers, Mapping | list | tuple) else [layers]
    return [
        f"layers: {word} is no text; write it in quotes, as layers: ['1.10']"
        for word in words
        if word is None or isinstance(word, bool | float)
    ]


def _globs(layers: Any) -> list[str]:
    return [str(glob) for glob in layers] if isinstance(layers, Mapping) else wanted_globs(layers)


def _choices(config: Selecting) -> list[ChannelChoice]:
    """The channels of each glob."""
    if not isinstance(config.layers, Mapping):
        if config.channels is None:
            raise ConfigError(["channels: a value is needed, as channels=VALUE, or layers={LAYER: CHANNELS}"])
        parts = parse_channels(config.channels)
        return [ChannelChoice(glob, parts, "channels") for glob in wanted_globs(config.layers)]
    mistakes: list[str] = []
    if config.channels not in DEFAULTS:
        both = f"channels={config.channels!r}: layers says which channels of each layer"
        mistakes.append(f"{both}; leave channels out, or give layers as a list")
    if not config.layers:
        mistakes.append("layers={}: name at least one layer, as layers={conv4: [0, 3]}")
    choices = []
    for glob, value in config.layers.items():
        key = f"layers.{glob}"
        parts = collect(mistakes, partial(parse_channels, value, key))
        choices.append(ChannelChoice(str(glob), parts or [], key))
    if mistakes:
        raise ConfigError(mistakes)
    return choices


def _channel_mistakes(choices: Iterable[ChannelChoice], card: ModelCard) -> list[str]:
    """What is wrong with the channels that are asked of a model's layers."""
    globs: dict[str, list[str]] = {}
    parts: dict[str, list[Part]] = {}
    for choice in choices:
        globs.setdefault(choice.key, []).append(choice.glob)
        parts[choice.key] = choice.parts
    mistakes = []
    for key, named in globs.items():
        if layers := select_layers(named, card):
            mistakes += channel_mistakes(parts[key], card.name, layers, key)
        else:
            classes = [layer for layer in card.layers if layer.classes]
            names = [part for part in parts[key] if isinstance(part, str)]
            mistakes += [text for name in names for text in name_mistakes(name, card.name, classes, key)]
    return mistakes
