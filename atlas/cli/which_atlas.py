"""Which existing atlas a job works on: the one that its overrides name, or else the newest."""

from dataclasses import replace

from atlas.cli.messages import say
from atlas.config.checks import undivided, value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.schema import SweepConfig
from atlas.query.atlas import newest
from atlas.store.manifest import read_manifest
from atlas.store.output import place_mistakes
from atlas.store.paths import AtlasPaths

NAMING = ("name=", "out=", "experiment=")  # overrides that name an atlas


def names_atlas(overrides: list[str]) -> bool:
    """Whether any of the overrides says which atlas is meant."""
    return any(override.lstrip("+~").startswith(NAMING) for override in overrides)


def with_atlas(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> SweepConfig:
    """The config with `out` at an atlas that exists: the newest when the overrides name none.

    ConfigError with all mistakes, or when the atlas cannot be written to; NotAnAtlas when there is none.
    """
    mistakes = [*mistakes, *value_mistakes(config), *undivided(config.cluster)]
    if mistakes:
        raise ConfigError(mistakes)
    if not names_atlas(overrides):
        config = replace(config, out=str(newest()))
        say(f"the newest atlas: {config.out}")
    read_manifest(AtlasPaths(config.out).manifest)  # before place_mistakes: what is no atlas is said to be none
    if unwritable := place_mistakes(config.out):
        raise ConfigError(unwritable)
    return config


def models_in(paths: AtlasPaths) -> list[str]:
    """The models that an atlas was asked for, in order of their names. NotAnAtlas when there is no atlas."""
    return sorted({variant["model"] for variant in read_manifest(paths.manifest)["variants"]})
