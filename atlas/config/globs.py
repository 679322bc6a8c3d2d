"""Globs over module names, the same in a sweep's `layers` and in a model's zones."""

from fnmatch import fnmatchcase


def matches(name: str, glob: str) -> bool:
    """Whether a glob names a layer: as in paths, `*` stays between two dots and `**` is any number of parts, so
    `inception4*` is five layers, and `inception4a.**` is inception4a and everything in it."""
    return _match(name.split("."), glob.split("."))


def _match(parts: list[str], globs: list[str]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        return any(_match(parts[i:], globs[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], globs[0]) and _match(parts[1:], globs[1:])
