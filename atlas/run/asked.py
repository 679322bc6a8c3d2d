"""Which models an atlas holds, and the config each was last asked for with: what similarity needs to load them again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.store.paths import AtlasPaths


def models_of(paths: AtlasPaths, manifest: dict[str, Any]) -> dict[str, ModelConfig]:
    """The models of an atlas by name, as config/ has them; ConfigError for one that stands in no config."""
    names = list(dict.fromkeys(variant["model"] for variant in manifest["variants"]))
    found: dict[str, ModelConfig] = {}
    for models in _newest_first(paths.config):
        for name in names:
            if name in models and name not in found:
                found[name] = _typed(models[name])
        if len(found) == len(names):
            break
    missing = [name for name in names if name not in found]
    if missing:
        raise ConfigError([f"{paths.config}: no config there tells of model {name}" for name in missing])
    return {name: found[name] for name in names}


def _newest_first(folder: Path) -> Iterator[Any]:
    """The models of each invocation; their folders are named by time."""
    for path in sorted(folder.glob("*/config.yaml"), reverse=True):
        yield OmegaConf.load(path).get("models", {})


def _typed(model: Any) -> ModelConfig:
    found: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(ModelConfig), model))
    return found
