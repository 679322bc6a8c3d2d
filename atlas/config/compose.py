"""Hydra, with our types behind it and every mistake said at once: from a command line to a checked-in-type config."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from atlas.config import models_source
from atlas.config.checks import NAME
from atlas.config.diagnose import BROKEN, asked_mistakes, diagnose
from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError
from atlas.config.schema import DreamConfig, FigureConfig, ModelConfig, SaliencyConfig, SweepConfig
from atlas.config.searching import searching

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
    composed: list[tuple[DictConfig, list[str], list[str]]] = []

    def keep(config: DictConfig) -> None:
        given = HydraConfig.get().overrides.task
        overrides = [override for override in given if override != ANY_LAYERS or override in arguments]
        composed.append((config, overrides, asked_mistakes(overrides)))

    whole = list(_replacing(arguments, schema))
    with _as_program(f"atlas {command}", whole):
        try:
            hydra.main(config_path=str(conf_dir()), config_name=page, version_base="1.3")(keep)()
        except BROKEN as error:
            composed.append(diagnose(page, whole, error))
    if not composed:
        return None  # --help, --cfg or --info
    config, overrides, mistakes = composed[0]
    try:
        asked = typed(config, schema)
    except ConfigError as error:
        raise ConfigError([*mistakes, *error.mistakes]) from None
    return body(asked, overrides, mistakes)


def _replacing(arguments: list[str], schema: type) -> Iterator[str]:
    """The arguments, those of `layers` so that they replace a mapping that a file has: Hydra would merge theirs with it."""
    has_layers = any(field.name == "layers" for field in fields(schema))
    for argument in arguments:
        if has_layers and argument.startswith("layers="):
            yield ANY_LAYERS
        yield argument


def compose_model(name: str, config_dir: str | None = None) -> ModelConfig:
    """The config of one model by name, as `model=NAME` would have it."""
    register()
    if not NAME.fullmatch(name):
        raise ConfigError([f"model={name}: letters, digits and _.+- only, beginning with a letter or digit"])
    try:
        with searching(config_dir):
            config = hydra.compose(PAGE, overrides=[f"model=[{name}]"])
        models: Any = OmegaConf.to_object(config.models)
    except MissingMandatoryValue:
        raise ConfigError([f"model={name}: needs values of its own; write them into a file for --config-dir"]) from None
    except BROKEN as error:
        raise ConfigError([f"model={name}: {str(error).splitlines()[0]}"]) from None
    return models[name]


def register() -> None:
    """Tell Hydra of our types and of the models that no file describes."""
    store = ConfigStore.instance()
    store.store(name="schema", node=SweepConfig)
    for page, schema in PAGES.items():
        store.store(name=f"{page}_schema", node=schema)
    models_source.register()


def typed(config: DictConfig, schema: type = SweepConfig) -> Any:
    """The config as dataclasses; ConfigError for a value that is still missing."""
    try:
        whole = OmegaConf.merge(schema, OmegaConf.to_container(config))  # refuses keys that `+key=` has added
        return OmegaConf.to_object(whole)
    except MissingMandatoryValue as error:
        raise ConfigError([f"{error.full_key}: a value is needed, as {error.full_key}=VALUE"]) from None
    except OmegaConfBaseException as error:
        raise ConfigError([f"{error.full_key}: {(error.msg or str(error)).splitlines()[0]}"]) from None


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
