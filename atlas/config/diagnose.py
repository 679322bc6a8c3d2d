"""Why a command line does not compose: each override is tried on top of those that work; every one that fails is named."""

from collections.abc import Iterator
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from atlas.config.mistakes import ConfigError, nearest

BROKEN = (HydraException, OmegaConfBaseException)


Diagnosis = tuple[DictConfig, list[str], list[str]]


def diagnose(folder: str, page: str, arguments: list[str], error: Exception) -> Diagnosis:
    """The config without the overrides that fail, those that work, and what is wrong with the others."""
    parsed = get_args_parser().parse_args(arguments)
    GlobalHydra.instance().clear()
    with initialize_config_dir(folder, version_base="1.3"):
        extra = [f"hydra.searchpath=[atlas://models,file://{parsed.config_dir}]"] if parsed.config_dir else []
        try:
            config = compose(page, overrides=extra)
        except BROKEN as broken:
            raise ConfigError([_first_lines(broken)]) from None
        return _try_all(page, extra, parsed.overrides, config, error)


def _try_all(
    page: str, working: list[str], overrides: list[str], config: DictConfig, error: Exception
) -> Diagnosis:
    mistakes: list[str] = []
    for override in sorted(overrides, key=lambda text: not _is_group(text)):  # groups first: values may lie in them
        try:
            config = compose(page, overrides=[*working, override])
            working = [*working, override]
        except BROKEN as broken:
            mistakes += _explain(override, broken, config)
    return config, working, mistakes or [_first_lines(error)]


def _explain(override: str, error: Exception, config: DictConfig) -> Iterator[str]:
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        yield f"{override}: cannot be read; overrides look like key=value, and lists like key=[a,b]"
        return
    key = parsed.key_or_group.removeprefix("/")
    options = _options(key)
    if options:
        values = parsed.value() if isinstance(parsed.value(), list) else [parsed.value()]
        unknown = [value for value in values if str(value) not in options]
        yield from (f"{key}={value}: no such {key}; {nearest(value, options)}" for value in unknown)
        if unknown:
            return
    if not _exists(config, key):
        yield f"{override}: no such key; {nearest(key, [*_keys(config), *_groups()])}"
        return
    yield f"{override}: {_reason(error)}"


def _reason(error: BaseException) -> str:
    """The innermost cause: Hydra wraps the one line that helps."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_lines(error)


def _first_lines(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "full_key" not in line]
    return " ".join(lines[:2])


def _loader() -> Any:
    return GlobalHydra.instance().config_loader()


def _is_group(override: str) -> bool:
    return "." not in override.partition("=")[0]


def _options(group: str) -> list[str]:
    return [] if "." in group else _loader().get_group_options(group, ObjectType.CONFIG)


def _groups() -> list[str]:
    return [group for group in _loader().list_groups("") if group not in ("hydra", "schema")]


def _exists(config: DictConfig, key: str) -> bool:
    missing = object()
    try:
        return OmegaConf.select(config, key, default=missing, throw_on_missing=False) is not missing
    except OmegaConfBaseException:
        return False


def _keys(config: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a config, so that the nearest can be named."""
    for key in config:
        name = f"{prefix}{key}"
        yield name
        if not OmegaConf.is_missing(config, key) and isinstance(config[key], DictConfig):
            yield from _keys(config[key], f"{name}.")
