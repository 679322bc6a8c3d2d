"""Checks that several parts of a config share: each yields what is wrong, if anything is."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from atlas.config.mistakes import nearest


def choice(where: str, value: str, allowed: Sequence[str]) -> Iterator[str]:
    """One of a few words."""
    if value not in allowed:
        yield f"{where}={value}: {nearest(value, allowed)}"


def distinct(value: object) -> tuple[str, ...]:
    """The words of a key that takes one or several, each once."""
    return tuple(dict.fromkeys(str(word) for word in (value if isinstance(value, list) else [value])))


def several(where: str, value: object, allowed: Sequence[str]) -> Iterator[str]:
    """One or several of a few words."""
    if value == []:
        yield f"{where}=[]: name at least one {where}; allowed: {', '.join(allowed)}"
    for word in distinct(value):
        if word not in allowed:
            yield f"{where}={word}: no such {where}; {nearest(word, allowed)}"


def at_least(where: str, value: float, least: int) -> Iterator[str]:
    """A whole number that is large enough."""
    if value < least:
        yield f"{where}={value}: a whole number from {least} up is wanted"


def two(
    where: str, values: Sequence[float], words: str, least: float = -math.inf, most: float = math.inf
) -> Iterator[str]:
    """Two finite numbers within bounds."""
    fine = len(values) == 2 and all(math.isfinite(value) and least <= value <= most for value in values)
    if not fine:
        yield f"{where}={list(values)}: {words}"


def folder(where: str, path: str | None) -> Iterator[str]:
    """A folder of pictures that exists."""
    if not path:
        yield f"{where} is missing: name the folder of pictures, as {where}=/data/pictures"
    elif not (place := Path(path).expanduser()).is_dir():
        yield f"{where}={path}: {'is no folder' if place.exists() else 'no such folder'}; name one of pictures"
