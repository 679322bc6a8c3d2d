"""The models of an atlas, as the configs that it keeps have them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.store.paths import AtlasPaths

# what a config that is not whole comes to
UNREADABLE = (OmegaConfBaseException, YAMLError, OSError, ValueError, TypeError, LookupError, RecursionError)


def recorded_models(paths: AtlasPaths, manifest: dict[str, Any]) -> dict[str, ModelConfig]:
    """The models of an atlas by name, as config/ has them; ConfigError for one that stands in no config."""
    names = list(dict.fromkeys(variant["model"] for variant in manifest["variants"]))
    models: dict[str, ModelConfig] = {}
    for composed in _newest_first(paths.config):
        for name in names:
            if name in composed and name not in models and _fits(composed[name]):
                models[name] = _typed(composed[name])
        if len(models) == len(names):
            break
    missing = [name for name in names if name not in models]
    if missing:
        raise ConfigError([f"{paths.config}: no config there tells of model {name}" for name in missing])
    return {name: models[name] for name in names}


def _newest_first(folder: Path) -> Iterator[Any]:
    """The models of each invocation; their folders are named by time."""
    for path in sorted(folder.glob("*/config.yaml"), reverse=True):
        try:
            config: Any = OmegaConf.to_container(OmegaConf.create(path.read_text(encoding="utf-8")))
            models = config["models"]
        except UNREADABLE:
            continue
        if isinstance(models, dict):
            yield models


def _typed(model: Any) -> ModelConfig:
    config: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(ModelConfig), model))
    return config


def _fits(model: Any) -> bool:
    try:
        _typed(model)
    except (OmegaConfBaseException, ValueError, TypeError):
        return False
    return True
