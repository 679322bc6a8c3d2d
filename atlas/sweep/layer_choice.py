"""Which layers of a model a sweep means: `default`, `all`, or globs over module names."""

from typing import Any

from atlas.config.globs import matches
from atlas.config.mistakes import nearest
from atlas.records import REPEAT, Layer, ModelCard

GLOBBING = "*?["  # what makes a word a glob


def wanted_globs(value: Any) -> list[str]:
    """`layers` as a list of words: one word may stand without brackets."""
    return [str(word) for word in value] if isinstance(value, list | tuple) else [str(value)]


def select_layers(globs: list[str], card: ModelCard) -> list[Layer]:
    """The layers that any of the globs names, in order of execution, each once."""
    return [layer for layer in card.every if any(names_layer(glob, layer, card) for glob in globs)]


def layer_mistakes(globs: list[str], cards: dict[str, ModelCard]) -> list[str]:
    """Globs that match in no model, and models in which none matches."""
    mistakes = []
    names = [layer.name for card in cards.values() for layer in card.every]
    for glob in globs:
        if not any(names_layer(glob, layer, card) for card in cards.values() for layer in card.every):
            why = "; ".join(reason for card in cards.values() if (reason := _other_reason(glob, card)))
            hint = why or f"{nearest(glob.strip('*'), names)} (`atlas layers MODEL` lists them)"
            mistakes.append(f"layers={glob}: matches no layer of {', '.join(cards)}; {hint}")
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
    if REPEAT in layer.name and REPEAT not in glob:  # further calls are meant by those who name them
        return False
    # a name that looks like a glob, as `[0]`, is the name
    is_name = set(glob) & set(GLOBBING) and any(other.name == glob for other in card.layers)
    return glob == "all" or layer.name == glob or (not is_name and matches(layer.name, glob))


def _other_reason(glob: str, card: ModelCard) -> str | None:
    """Why a module that there is, or that has another name, is no layer of a model."""
    name, _, call = glob.partition(REPEAT)
    for layer in card.layers:
        if name in layer.aliases:
            return f"{name} is another name of {layer.name}, which {_called(layer)}"
        if name == layer.name and call:
            return f"{name} {_called(layer)}"
    if name in card.unknown:
        return f"{name} has an unknown layout: nothing tells which dimension of its output holds the channels"
    return None


def _called(layer: Layer) -> str:
    calls = ", ".join(f"{layer.name}{REPEAT}{call}" for call in range(2, layer.calls + 1))
    return f"is called {layer.calls} times: {layer.name}, {calls}" if calls else "is called once"
