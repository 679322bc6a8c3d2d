"""Why a command line does not compose: each override is tried on top of those that work; every one that fails is named."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from atlas.config.checks import NAME
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.quoting import quoted
from atlas.config.searching import compose, searching

# Hydra lets a group's value that is a number or null, as `metric=1`, end in a plain ValueError or TypeError.
# A file of the user's may be no YAML, or YAML of another shape than Hydra takes for granted.
BROKEN = (
    *(HydraException, OmegaConfBaseException, YAMLError, ValueError, TypeError),
    *(OSError, AssertionError, AttributeError, LookupError, RecursionError),
)
ONE = ("target", "recipe", "cluster")  # groups of which a sweep has one; Hydra would lay several over each other
NOISE = ("full_key", "object_type", "reference_type")  # OmegaConf's own lines under a message

Diagnosis = tuple[DictConfig, list[str], list[str]]


def diagnose(page: str, arguments: list[str], error: Exception) -> Diagnosis:
    """The config without the overrides that fail, those that work, and what is wrong with the others."""
    parsed = get_args_parser().parse_args(arguments)
    GlobalHydra.instance().clear()
    with searching(parsed.config_dir):
        try:
            config = compose(page)
        except BROKEN as broken:
            raise ConfigError([_first_lines(broken)]) from None
        return _try_all(page, parsed.overrides, config, error, config_dir=parsed.config_dir)


def asked_mistakes(overrides: list[str]) -> list[str]:
    """What is wrong with overrides that compose all the same: several of a group of which there is one."""
    mistakes = []
    for override in overrides:
        parsed = OverridesParser.create().parse_override(override)
        options: Any = parsed.value()
        if parsed.key_or_group in ONE and isinstance(options, list) and len(options) > 1:
            names = ", ".join(map(str, options))
            mistakes.append(f"{override}: a sweep has one {parsed.key_or_group}; name one of {names}")
    return mistakes


def _try_all(
    page: str, overrides: list[str], config: DictConfig, error: Exception, *, config_dir: str | None
) -> Diagnosis:
    working: list[str] = []
    mistakes: list[str] = []
    for override in sorted(overrides, key=lambda text: not _is_group(text)):  # groups first: values may lie in them
        try:
            config = compose(page, overrides=[*working, override])
            working = [*working, override]
        except BROKEN as broken:
            mistakes += _explain(override, broken, config, config_dir)
    return config, working, [*mistakes, *asked_mistakes(working)] or [_first_lines(error)]


def _explain(override: str, error: Exception, config: DictConfig, config_dir: str | None) -> Iterator[str]:
    parsed = _parse(override)
    key = parsed.key_or_group.removeprefix("/") if parsed else ""
    if parsed is None or not key:
        hint = _as_out(override) if _is_atlas(override) else _in_quotes(override)
        yield f"{override}: cannot be read; overrides look like key=value, and lists like key=[a,b]{hint}"
        return
    if parsed.is_sweep_override():
        yield f"{override}: a sweep is one run here; give a list, as {key}=[{override.partition('=')[2]}]"
        return
    options, files = _options(key), list[str]()
    if options:
        option: Any = parsed.value()
        chosen = option if isinstance(option, list) else [option]
        unknown = [_spelled(name) for name in chosen if not _offers(key, name)]
        yield from (f"{key}={name}: no such {key}; {nearest(name, options)}" for name in unknown)
        if unknown:
            return
        files = [str(file) for name in chosen if (file := own_file(config_dir, key, name)) is not None]
    if ".kwargs." in key or (key.endswith(".kwargs") and not _exists(config, key)):
        # of a constructor's arguments none are known: each is added
        yield f"{override}: arguments of a model are added, each by itself, as +{key.partition('.kwargs')[0]}.kwargs.KEY=VALUE"
        return
    if not options and not _exists(config, key) and not key.startswith("hydra."):
        yield f"{override}: no such key; {nearest(key, [*_keys(OmegaConf.to_container(config)), *_groups()])}"
        return
    cause = ", ".join([reason(error), *(file for file in files if file not in reason(error))])
    yield f"{override}: {cause}" + (f"; to add one, write +{key}.KEY=VALUE" if "not in struct" in cause else "")


def _is_atlas(override: str) -> bool:
    try:
        return (Path(override).expanduser() / "atlas.json").is_file()
    except (OSError, RuntimeError):  # too long for a name, or the home of nobody
        return False


def _as_out(override: str) -> str:
    """How the atlas is named whose folder was given as it is."""
    plain = shlex.quote(override) == override and not set(override) & set(",:[]{}")
    return f"; an atlas is named by out={override}" if plain else _in_quotes(f"out={override}")


def _in_quotes(override: str) -> str:
    """How the shell and Hydra must be told a value that is a text with characters of Hydra's grammar."""
    key, equals, text = override.partition("=")
    return f"; a text goes in quotes, as {shlex.quote(f'{key}={quoted(text)}')}" if equals and text else ""


def _parse(override: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(override)
    except HydraException:
        return None


def reason(error: BaseException) -> str:
    """The innermost cause in one line: Hydra wraps the one that helps."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_lines(error) or type(error).__name__


def own_file(config_dir: str | None, group: str, value: object) -> Path | None:
    """The file of a user's folder that an option of a group is read from; None where it is one of conf/."""
    path = Path(config_dir or "") / group / f"{value}.yaml"
    return path if config_dir is not None and path.exists() else None


def _first_lines(error: BaseException) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem_mark.name}, line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, RecursionError):
        return "its files name each other without end, or are nested too deeply"
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join([line for line in lines if line and not line.startswith(NOISE)][:2])


def _loader() -> Any:
    return GlobalHydra.instance().config_loader()


def _is_group(override: str) -> bool:
    return "." not in override.partition("=")[0]


def _options(group: str) -> list[str]:
    return [] if "." in group else _loader().get_group_options(group, ObjectType.CONFIG)


def _offers(group: str, value: object) -> bool:
    """Whether a group has it: a file, or for `model` also a name that the models without a file may have."""
    if not isinstance(value, str):
        return False
    return value in _options(group) or (group == "model" and NAME.fullmatch(value) is not None)


def _spelled(value: object) -> str:
    """A value as it was written."""
    return "null" if value is None else str(value)


def _groups() -> list[str]:
    return [group for group in _loader().list_groups("") if group not in ("hydra", "schema")]


def _exists(config: DictConfig, key: str) -> bool:
    missing = object()
    try:
        return OmegaConf.select(config, key, default=missing, throw_on_missing=False) is not missing
    except OmegaConfBaseException:
        return False


def _keys(config: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a config as plain dicts, so that the nearest can be named."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        yield name
        if isinstance(value, dict):
            yield from _keys(value, f"{name}.")
