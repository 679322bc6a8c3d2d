"""What `channels=` may say: `all`, `a:b[:step]`, several of those with commas, or a list."""

from typing import Any

from atlas.config.mistakes import ConfigError
from atlas.records import Layer


def parse_channels(value: Any) -> list[slice | int]:
    """Read `channels`; ConfigError says what is wrong and what may be written."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    if isinstance(value, int) or not parts:
        raise ConfigError([f"channels={value!r}: write all, a:b, a:b:step, or a list as [{value or 0}]"])
    return [_parse_part(part, value) for part in parts]


def _parse_part(part: Any, whole: Any) -> slice | int:
    text = str(part).strip()
    if text == "all":
        return slice(None)
    try:
        numbers = [int(n) if n.strip() else None for n in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None and numbers[0] >= 0:
        return numbers[0]
    if 2 <= len(numbers) <= 3 and all(n is None or n >= 0 for n in numbers) and numbers[2:] != [0]:
        if numbers[1] is not None and numbers[1] <= (numbers[0] or 0):
            raise ConfigError([f"channels={whole!r}: {text!r} holds no channel; a range ends before its second number"])
        return slice(*numbers)
    raise ConfigError(
        [f"channels={whole!r}: {text!r} is no channel; write all, a:b, a:b:step, or a list of numbers from 0"]
    )


def select_channels(parts: list[slice | int], layer: Layer) -> tuple[int, ...]:
    """The channels of a layer that were asked for, in order, each once; ranges end where the layer ends."""
    channels: dict[int, None] = {}
    for part in parts:
        channels.update(dict.fromkeys(range(layer.channels)[part] if isinstance(part, slice) else (part,)))
    return tuple(channels)


def channel_mistakes(parts: list[slice | int], model: str, layers: list[Layer]) -> list[str]:
    """Channels that a layer lacks, and ranges that reach past the widest layer they are asked of."""
    mistakes = []
    widest = max(layer.channels for layer in layers)
    for part in parts:
        if isinstance(part, int):
            mistakes += [_absent(part, model, layer) for layer in layers if part >= layer.channels]
        elif (part.stop or 0) > widest or (part.start or 0) >= widest:
            wanted = f"{part.start or 0}:{'' if part.stop is None else part.stop}"
            mistakes.append(
                f"channels={wanted}: the widest layer asked for in {model} has {widest} channels (0 to {widest - 1})"
            )
    return mistakes


def _absent(channel: int, model: str, layer: Layer) -> str:
    return f"channels={channel}: {model}/{layer.name} has {layer.channels} channels (0 to {layer.channels - 1})"
