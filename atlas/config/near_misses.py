"""Words of a job's command line that are not quite Hydra's: what is clear is understood, the rest is told how to write."""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from hydra._internal.utils import get_args_parser

from atlas.config.mistakes import ConfigError

SWITCH = "dry_run"  # the key that people write without a value, or as an option
CALIBRATE = "calibrate"  # a value of it, which is a switch of its own


def as_overrides(arguments: Iterable[str], schema: type) -> list[str]:
    """The arguments with `dry_run`, `--dry-run` and the like as `dry_run=true`; `dry_run=calibrate` asks for one and more.

    ConfigError, with what to write instead, for options that no job has, as `--model=resnet50`.
    """
    keys = {field.name for field in fields(schema)}
    words, mistakes = [], []
    for word in arguments:
        plain = word.lstrip("-").replace("-", "_")
        if SWITCH in keys and plain == SWITCH:
            words.append(f"{SWITCH}=true")
        elif {SWITCH, CALIBRATE} <= keys and plain == f"{SWITCH}={CALIBRATE}":
            words += [f"{SWITCH}=true", f"{CALIBRATE}=true"]
        elif SWITCH in keys and plain.startswith(f"{SWITCH}="):
            words.append(plain)
        else:
            words.append(word)
            mistakes += _mistake(word)
    if mistakes:
        raise ConfigError(mistakes)
    return words


def _mistake(word: str) -> Iterator[str]:
    name, equals, value = word.partition("=")
    if not name.startswith("--") or any(option.startswith(name) for option in _options()):
        return
    key = name.lstrip("-").replace("-", "_")
    if key == SWITCH:
        yield f"{word}: this job has no dry run"
        return
    yield f"{word}: a job takes key=value; write {key}={value if equals else 'VALUE'}"


def _options() -> list[str]:
    """Hydra's own options."""
    return [option for action in get_args_parser()._actions for option in action.option_strings]
