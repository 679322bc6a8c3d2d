"""Which layers of a model a sweep means: `default`, `all`, or globs over module names."""

from typing import Any

from atlas.config.globs import matches
from atlas.config.mistakes import nearest
from atlas.records import Layer, ModelCard

GLOBBING = "*?["  # what makes a word a glob


def wanted_globs(value: Any) -> list[str]:
    """`layers` as a list of words: one word may stand without brackets."""
    return [str(word) for word in value] if isinstance(value, list | tuple) else [str(value)]


def select_layers(globs: list[str], card: ModelCard) -> list[Layer]:
    """The layers that any of the globs names, in order of execution, each once."""
    return [layer for layer in card.layers if any(names_layer(glob, layer, card) for glob in globs)]


def layer_mistakes(globs: list[str], cards: dict[str, ModelCard]) -> list[str]:
    """Globs that match in no model, and models in which none matches."""
    mistakes = []
    names = [layer.name for card in cards.values() for layer in card.layers]
    for glob in globs:
        if not any(names_layer(glob, layer, card) for card in cards.values() for layer in card.layers):
            hint = nearest(glob.strip("*"), names)
            mistakes.append(
                f"layers={glob}: matches no layer of {', '.join(cards)}; {hint} (`atlas layers MODEL` lists them)"
            )
    if not mistakes:
        idle = [name for name, card in cards.items() if not select_layers(globs, card)]
        mistakes += [
            f"layers={globs}: matches no layer of {name}; leave {name} out, or name one of its layers" for name in idle
        ]
    return mistakes


def names_layer(glob: str, layer: Layer, card: ModelCard) -> bool:
    """Whether a word of `layers` means a layer of a model."""
    if glob == "default":
        return layer.name in card.chosen
    # a name that looks like a glob, as `[0]`, is the name
    is_name = set(glob) & set(GLOBBING) and any(other.name == glob for other in card.layers)
    return glob == "all" or layer.name == glob or (not is_name and matches(layer.name, glob))
