"""Classes by name: the numbers that a name means among a classifier's classes, and the nearest where it means none."""

from collections.abc import Sequence

from atlas.config.mistakes import nearest


def classes_called(text: str, names: Sequence[str]) -> list[int]:
    """The numbers of the classes that a name means, in any case; several: it is ambiguous; none: it is unknown.

    A class is named by its whole name, or by a part of it between commas: `tabby` means `tabby, tabby cat`. A whole
    name goes before a first part, and that before any other.
    """
    wanted = text.strip().casefold()
    for spelled in (_whole, _first, _parts):
        numbers = [number for number, name in enumerate(names) if wanted in spelled(name.casefold())]
        if numbers:
            return numbers
    return []


def nearest_class(text: str, names: Sequence[str]) -> str:
    """A phrase that offers the nearest names, whole or in part."""
    return nearest(text.strip(), [part for name in names for part in (name, *_parts(name))])


def _whole(name: str) -> list[str]:
    return [name]


def _first(name: str) -> list[str]:
    return _parts(name)[:1]


def _parts(name: str) -> list[str]:
    return [part.strip() for part in name.split(",")]
