"""Hydra, with our types behind it and every mistake said at once: from a command line to a checked-in-type config."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from atlas.config import models_source
from atlas.config.checks import NAME
from atlas.config.diagnose import BROKEN, Diagnosis, asked_mistakes, diagnose, own_file, reason
from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError
from atlas.config.near_misses import as_overrides
from atlas.config.quoted_keys import unquoted_keys
from atlas.config.schema import DreamConfig, FigureConfig, ModelConfig, SaliencyConfig, SweepConfig
from atlas.config.searching import compose, searching
from atlas.config.texts import Texts, as_texts

PAGE = "atlas"  # the contents page of every sweep, conf/atlas.yaml
# jobs with a page of their own
PAGES = {"site": SweepConfig, "saliency": SaliencyConfig, "dream": DreamConfig, "figure": FigureConfig}
ANY_LAYERS = "layers=default"
Body = Callable[[Any, list[str], list[str]], Any]  # config, overrides, mistakes so far -> what the job came to


def run_job(command: str, arguments: list[str], body: Body) -> Any:
    """Run a job as a Hydra app: everything in `arguments` is Hydra's. Returns what `body` does; None: Hydra said it all.

    A command line that does not compose reaches `body` as far as it does, with the mistakes, so that it adds its own.
    """
    register()
    if {"-m", "--multirun"} & set(arguments):
        raise ConfigError(
            ["--multirun: a sweep is one run here; give lists, as model=[googlenet,resnet50] seeds=[0,1]"]
        )
    page = command if command in PAGES else PAGE
    schema = PAGES.get(command, SweepConfig)
    texts = as_texts(as_overrides(arguments, schema))
    whole = list(_replacing(texts.arguments, schema))
    with _as_program(f"atlas {command}", whole):
        try:
            composed = _compose(page, whole)
        except BROKEN as error:
            composed = diagnose(page, whole, error)
    if composed is None:
        return None  # --help, --cfg or --info
    config, composed_of, mistakes = composed
    mistakes = [texts.original(mistake) for mistake in mistakes]
    overrides = [texts.original(word) for word in composed_of if word != ANY_LAYERS or word in arguments]
    try:
        return body(_in_their_words(typed(config), texts), overrides, mistakes)
    except ConfigError as error:
        raise ConfigError([*mistakes, *_no_consequences(error.mistakes, mistakes)]) from None


def _in_their_words(config: Any, texts: Texts) -> Any:
    """A config with the keys of mappings as they were typed, and its folder as the shell would have it."""
    config.out = os.path.expanduser(config.out)
    if texts.keys and isinstance(getattr(config, "layers", None), dict):
        config.layers = {texts.keys.get(key, key): value for key, value in config.layers.items()}
    return config


def _no_consequences(mistakes: Iterable[str], mistyped: Iterable[str]) -> Iterator[str]:
    """Those mistakes that are no consequence of an override that could not be read: its key is at its default then."""
    keys = {mistake.partition("=")[0].lstrip("+~") for mistake in mistyped}
    for mistake in mistakes:
        key = re.split(r"[=:.]", mistake, maxsplit=1)[0]
        of_another_model = bool(keys & {"model", "experiment"}) and key in ("layers", "channels", "target")
        left_out = key in keys and f"{key}: a value is needed" in mistake
        if not (of_another_model or left_out):
            yield mistake


def _replacing(arguments: list[str], schema: type) -> Iterator[str]:
    """The arguments, those of `layers` so that they replace a mapping that a file has: Hydra would merge theirs with it."""
    has_layers = any(field.name == "layers" for field in fields(schema))
    for argument in map(unquoted_keys, arguments):
        if has_layers and argument.startswith("layers="):
            yield ANY_LAYERS
        yield argument


def compose_model(name: str, config_dir: str | None = None) -> ModelConfig:
    """The config of one model by name, as `model=NAME` would have it."""
    register()
    if not NAME.fullmatch(name):
        raise ConfigError([f"model={name}: letters, digits and _.+- only, beginning with a letter or digit"])
    file = own_file(config_dir, "model", name)
    where = f"model={name}" if file is None else f"model={name}, {file}"
    try:
        with searching(config_dir):
            config = compose(PAGE, [f"model=[{name}]"])
        models: Any = OmegaConf.to_object(config.models)
    except MissingMandatoryValue:
        raise ConfigError([f"model={name}: needs values of its own; write them into a file for --config-dir"]) from None
    except BROKEN as error:
        cause = reason(error)
        told = file is None or str(file) in cause
        raise ConfigError([f"model={name}: {cause}" + ("" if told else f", {file}")]) from None
    if name not in models:
        raise ConfigError([f"{where}: says nothing of models.{name}; begin it with `# @package models` and {name}:"])
    return models[name]


def _compose(page: str, arguments: list[str]) -> Diagnosis | None:
    """The config of a command line; None where Hydra itself answers it, as --help."""
    parsed = get_args_parser().parse_args(arguments)
    if any((parsed.help, parsed.hydra_help, parsed.cfg, parsed.info, parsed.shell_completion)):
        hydra.main(config_path=str(conf_dir()), config_name=page, version_base="1.3")(lambda config: None)()
        return None
    if parsed.config_name or parsed.config_path:
        raise ConfigError(
            ["--config-name, --config-path: the pages are Atlas's own; --config-dir=FOLDER adds files to them"]
        )
    # not by hydra.main, which composes everything twice
    with searching(parsed.config_dir):
        config = compose(page, parsed.overrides, return_hydra_config=True)
    overrides = list(config.hydra.overrides.task)
    with open_dict(config):
        del config["hydra"]
    return config, overrides, asked_mistakes(overrides)


@cache
def register() -> None:
    """Tell Hydra of our types and of the models that no file describes."""
    store = ConfigStore.instance()
    store.store(name="schema", node=SweepConfig)
    for page, schema in PAGES.items():
        store.store(name=f"{page}_schema", node=schema)
    models_source.register()


def typed(config: DictConfig) -> Any:
    """The config as dataclasses; ConfigError for values that are missing and for keys that `+key=` has added."""
    try:
        whole = OmegaConf.to_object(config)
    except MissingMandatoryValue as error:
        raise ConfigError([f"{error.full_key}: a value is needed, as {error.full_key}=VALUE"]) from None
    except OmegaConfBaseException as error:
        raise ConfigError([f"{error.full_key}: {(error.msg or str(error)).splitlines()[0]}"]) from None
    if mistakes := list(_added_keys(whole)):
        raise ConfigError(mistakes)
    return whole


def _added_keys(value: Any, prefix: str = "") -> Iterator[str]:
    """A mistake for each key of a typed config, and of what it holds, that its type does not have."""
    names = {field.name for field in fields(value)} if is_dataclass(value) else None
    for key, part in (value if isinstance(value, dict) else vars(value)).items():
        if names is not None and key not in names:
            yield f"{prefix}{key}: Key '{key}' not in '{type(value).__name__}'"
        elif is_dataclass(part) or isinstance(part, dict):
            yield from _added_keys(part, f"{prefix}{key}.")


@contextmanager
def _as_program(name: str, arguments: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and tells its errors by itself unless it is asked to raise them."""
    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [name, *arguments], "1"
    try:
        yield
    finally:
        sys.argv = argv
        os.environ.pop("HYDRA_FULL_ERROR") if full is None else os.environ.update(HYDRA_FULL_ERROR=full)
        GlobalHydra.instance().clear()
