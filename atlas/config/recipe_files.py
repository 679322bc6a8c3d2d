"""A recipe by name, from conf/recipe/, where no Hydra run composes one."""

from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.recipe_checks import recipe_mistakes
from atlas.config.schema import RecipeConfig

DEFAULT = "standard"  # what conf/sweep.yaml chooses
OCTAVES = "normalized"  # the recipe of pixels that grow, for what the default cannot do
METRIC = "override /metric@_global_.metric"  # in a recipe's defaults: the metric that it is meant for


def read_recipe(name: str, **changes: Any) -> RecipeConfig:
    """The recipe with some of its values changed; ConfigError for an unknown name or wrong values."""
    written = _read(name)
    written.pop("defaults", None)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(RecipeConfig), written, changes)
        recipe: Any = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise ConfigError([f"recipe.{error.full_key}: {(error.msg or str(error)).splitlines()[0]}"]) from None
    mistakes = list(recipe_mistakes(recipe))
    if mistakes:
        raise ConfigError(mistakes)
    return recipe


def own_metric(name: str) -> str:
    """The metric that a recipe is used with where none is named; l1 for a recipe that stands in no file."""
    if name not in known_recipes():
        return "l1"
    overrides = [entry.get(METRIC) for entry in _read(name).get("defaults", [])]
    return next((metrics[0] for metrics in overrides if metrics), "l1")


def known_recipes() -> list[str]:
    return sorted(path.stem for path in (conf_dir() / "recipe").glob("*.yaml"))


def _read(name: str) -> Any:
    names = known_recipes()
    if name not in names:
        raise ConfigError([f"recipe={name!r}: no such recipe; {nearest(name, names)}"])
    return OmegaConf.load(conf_dir() / "recipe" / f"{name}.yaml")
