"""What `channels=` may say: `all`, `a:b[:step]`, a number, the name of a class, several of those with commas, or a list."""

from typing import Any

from atlas.config.class_words import classes_called, nearest_class
from atlas.config.mistakes import ConfigError
from atlas.records import Layer

# channels: a range, a number, or a class's name
Part = slice | int | str
LISTED = 3  # layers that a mistake names


def parse_channels(value: Any, where: str = "channels") -> list[Part]:
    """Read `channels`; ConfigError says what is wrong, at the key `where`, and what may be written."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    if not isinstance(value, str | float | list | tuple) or not parts:
        raise ConfigError([f"{where}={value!r}: write all, a:b, a:b:step, or a list as [{value or 0}]"])
    return [_parse_part(part, value, where) for part in parts]


def _parse_part(part: Any, whole: Any, where: str) -> Part:
    text = str(part).strip()
    if text == "all":
        return slice(None)
    if isinstance(part, str) and ":" not in text and any(map(str.isalpha, text)):
        return text
    try:
        numbers = [int(n) if n.strip() else None for n in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None and numbers[0] >= 0:
        return numbers[0]
    if 2 <= len(numbers) <= 3 and all(n is None or n >= 0 for n in numbers) and numbers[2:] != [0]:
        if numbers[1] is not None and numbers[1] <= (numbers[0] or 0):
            raise ConfigError([f"{where}={whole!r}: {text!r} holds no channel; a range ends before its second number"])
        return slice(*numbers)
    raise ConfigError([f"{where}={whole!r}: {text!r} is no channel; {_wanted([])}"])


def select_channels(parts: list[Part], layer: Layer) -> tuple[int, ...]:
    """The channels of a layer that were asked for, in order, each once; ranges end where the layer ends."""
    channels: dict[int, None] = {}
    for part in parts:
        channels.update(dict.fromkeys(_numbers(part, layer)))
    return tuple(channels)


def _numbers(part: Part, layer: Layer) -> range | list[int]:
    if isinstance(part, slice):
        return range(layer.channels)[part]
    return [part] if isinstance(part, int) else classes_called(part, layer.classes)


def channel_mistakes(parts: list[Part], model: str, layers: list[Layer], where: str = "channels") -> list[str]:
    """Channels and classes that a layer lacks, and ranges that reach past the widest layer they are asked of."""
    mistakes = []
    widest = max(layer.channels for layer in layers)
    for part in parts:
        if isinstance(part, int):
            mistakes += [_absent(part, model, layer, where) for layer in layers if part >= layer.channels]
        elif isinstance(part, str):
            mistakes += name_mistakes(part, model, layers, where)
        elif (part.stop or 0) > widest or (part.start or 0) >= widest:
            wanted = f"{part.start or 0}:{'' if part.stop is None else part.stop}"
            mistakes.append(
                f"{where}={wanted}: the widest layer asked for in {model} has {widest} channels (0 to {widest - 1})"
            )
    return mistakes


def name_mistakes(name: str, model: str, layers: list[Layer], where: str = "channels") -> list[str]:
    """Layers in which a name is that of no class, or of several."""
    unnamed = [f"{model}/{layer.name}" for layer in layers if not layer.classes]
    named = [layer for layer in layers if layer.classes]
    what = f"{where}={name!r}: {name!r} is"
    mistakes = []
    if unnamed or not layers:
        more = f" and {len(unnamed) - LISTED} more layers" if len(unnamed) > LISTED else ""
        of = f" of {', '.join(unnamed[:LISTED])}{more}" if unnamed else ""
        mistakes.append(f"{what} no channel{of}; {_wanted([f'{model}/{layer.name}' for layer in named])}")
    for layer in named:
        numbers = classes_called(name, layer.classes)
        if not numbers:
            mistakes.append(f"{what} no class of {model}/{layer.name}; {nearest_class(name, layer.classes)}")
        elif len(numbers) > 1:
            several = ", ".join(f"{number} ({layer.classes[number]})" for number in numbers)
            mistakes.append(f"{what} several classes of {model}/{layer.name}; give the number of one: {several}")
    return mistakes


def _wanted(named: list[str]) -> str:
    wanted = "write all, a:b, a:b:step, or a list of numbers from 0"
    if not named:
        return wanted
    return f"{wanted}; class names are those of {', '.join(named)} only: layers={{LAYER: CHANNELS}} asks by layer"


def _absent(channel: int, model: str, layer: Layer, where: str) -> str:
    return f"{where}={channel}: {model}/{layer.name} has {layer.channels} channels (0 to {layer.channels - 1})"
