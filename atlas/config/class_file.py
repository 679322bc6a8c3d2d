"""A file of class names: `models.<name>.classes=FILE` in; the names of a classifier's outputs, in their order, out."""

import json
from pathlib import Path
from typing import Any

from atlas.config.mistakes import ConfigError

WANTED = 'wanted is one name a line, or JSON: a list of names, or {"0": "name", "1": …}'


def read_class_file(setting: str, path: str, count: int) -> tuple[str, ...]:
    """The names of `count` classes; ConfigError where the file does not give each a name of its own.

    setting: how the error names the key, as `models.mine.classes`.
    """
    where = f"{setting}={path}"
    names = _names(where, _text(where, path))
    _check_names(where, names)
    if len(names) != count:
        raise ConfigError(
            [f"{where}: it names {len(names)} classes, and the model has {count}; one name each is wanted"]
        )
    return names


def _text(where: str, path: str) -> str:
    try:
        # with or without the mark that Windows' editors put at the beginning
        return Path(path).expanduser().read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([f"{where}: no such file; {WANTED}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{where}: this is no text in UTF-8; {WANTED}"]) from None
    except OSError as error:
        raise ConfigError([f"{where}: cannot be read: {error.strerror or error}"]) from None


def _names(where: str, text: str) -> tuple[Any, ...]:
    if not text.lstrip().startswith(("[", "{")):
        return tuple(line.strip() for line in text.rstrip().splitlines())
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError([f"{where}: it begins as JSON and is none ({error}); {WANTED}"]) from None
    if isinstance(value, list):
        return tuple(value)
    numbers = [str(number) for number in range(len(value))]
    if set(value) != set(numbers):
        wrong = next(key for key in value if key not in numbers)
        raise ConfigError(
            [f"{where}: key {wrong!r}: the numbers of {len(value)} classes are wanted, 0 to {len(value) - 1}"]
        )
    return tuple(value[number] for number in numbers)


def _check_names(where: str, names: tuple[Any, ...]) -> None:
    """ConfigError for the first class whose name is no line of text, or is that of another."""
    numbers: dict[str, int] = {}
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ConfigError([f"{where}: class {number} is called {name!r}: a line of text is wanted; {WANTED}"])
        if name in numbers:
            both = f"classes {numbers[name]} and {number} are both called {name!r}"
            raise ConfigError([f"{where}: {both}; give each a name of its own"])
        numbers[name] = number
