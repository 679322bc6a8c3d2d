"""The target of a sweep, read from the config and held against the layers it is asked of."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from atlas.config.choices import TARGETS
from atlas.config.mistakes import ConfigError, nearest
from atlas.records import Address, Layer, ModelCard, Target

SWEPT = ("row", "col", "count")  # which may be lists


def make_targets(config: Mapping[str, Any]) -> list[Target]:
    """The targets of a sweep: `row`, `col` and `count` may be lists, and each of their product is one."""
    lists = {key: value for key, value in config.items() if key in SWEPT and isinstance(value, list | tuple)}
    empty = [f"target.{key}=[]: a number, or a list of some, is wanted" for key, values in lists.items() if not values]
    if empty:
        raise ConfigError(empty)
    each = product(*lists.values())
    return list(dict.fromkeys(make_target({**config, **dict(zip(lists, values, strict=True))}) for values in each))


def make_target(config: Mapping[str, Any]) -> Target:
    """The target that `target=` describes; ConfigError for an unknown kind or a value of the wrong type."""
    kind = str(config.get("kind", "channel"))
    if kind not in TARGETS:
        raise ConfigError([f"target.kind={kind}: no such target; {nearest(kind, TARGETS)}"])
    given = {key: value for key, value in config.items() if key != "kind"}
    mistakes = [
        f"target.{key}={given[key]!r}: target={kind} has no such key" for key in given if key not in TARGETS[kind]
    ]
    mistakes += [text for key in ("row", "col", "count") for text in _number_mistakes(key, given.get(key))]
    if kind == "cumulative" and given.get("count") is None:
        mistakes.append(
            "target.count is missing: target=cumulative drives the first target.count neurons of each channel"
        )
    partners = given.get("with") or []
    if kind == "joint":
        mistakes += _partner_mistakes(partners)
    if mistakes:
        raise ConfigError(mistakes)
    return Target(kind, given.get("row"), given.get("col"), given.get("count"), tuple(map(str, partners)))


def _number_mistakes(key: str, value: Any) -> list[str]:
    least = 1 if key == "count" else 0
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
        return []
    return [f"target.{key}={value!r}: a whole number from {least} up is wanted"]


def _partner_mistakes(partners: Any) -> list[str]:
    if not isinstance(partners, list | tuple) or not partners:
        return [f"target.with={partners!r}: target=joint wants a list of features, as [googlenet/inception4a:12]"]
    mistakes = []
    for partner in partners:
        try:
            Address.parse(str(partner))
        except ValueError as error:
            mistakes.append(f"target.with: {error}")
    return mistakes


def target_mistakes(target: Target, card: ModelCard, layers: list[Layer]) -> list[str]:
    """Rows, columns and counts that a layer's map does not have, and partners that the model does not have."""
    mistakes = [text for layer in layers for text in _place_mistakes(target, card, layer)]
    return mistakes + [text for address in target.partners for text in _absent_partner(address, card)]


def _place_mistakes(target: Target, card: ModelCard, layer: Layer) -> list[str]:
    limits = {"row": layer.height, "col": layer.width, "count": layer.height * layer.width + 1}
    size = f"{card.name}/{layer.name} is {layer.height} x {layer.width} at {card.input_size} pixels"
    given = {"row": target.row, "col": target.col, "count": target.count}
    return [f"target.{key}={n}: {size}" for key, n in given.items() if n is not None and n >= limits[key]]


def _absent_partner(address: str, card: ModelCard) -> list[str]:
    model, name, channel = Address.parse(address)
    if model != card.name:
        return [f"target.with={address}: the partner must be of the model that is driven, {card.name}"]
    layer = next((layer for layer in card.every if layer.name == name), None)
    if layer is None:
        return [
            f"target.with={address}: {model} has no layer {name}; {nearest(name, [layer.name for layer in card.layers])}"
        ]
    if channel >= layer.channels:
        return [f"target.with={address}: {model}/{name} has {layer.channels} channels (0 to {layer.channels - 1})"]
    return []
