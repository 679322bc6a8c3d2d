"""A recipe by name, from conf/recipe/, where no Hydra run composes one."""

from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from atlas.config.checks import recipe_mistakes
from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import RecipeConfig


def read_recipe(name: str, **changes: Any) -> RecipeConfig:
    """The recipe with some of its values changed; ConfigError for an unknown name or wrong values."""
    folder = conf_dir() / "recipe"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise ConfigError([f"recipe={name!r}: no such recipe; {nearest(name, known)}"])
    try:
        merged = OmegaConf.merge(OmegaConf.structured(RecipeConfig), OmegaConf.load(folder / f"{name}.yaml"), changes)
        recipe: Any = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise ConfigError([f"recipe.{error.full_key}: {(error.msg or str(error)).splitlines()[0]}"]) from None
    mistakes = list(recipe_mistakes(recipe))
    if mistakes:
        raise ConfigError(mistakes)
    return recipe
