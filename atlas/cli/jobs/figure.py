"""`atlas figure NAME`: one figure of an atlas; the paths of its files on stdout."""

from contextlib import suppress
from dataclasses import replace

import click
import pyarrow as pa

from atlas.cli.job_format import for_people, print_rows
from atlas.cli.messages import say, say_each
from atlas.cli.which_atlas import models_in, names_atlas
from atlas.config.recipe_files import known_recipes, read_recipe
from atlas.config.schema import FigureConfig, RecipeConfig
from atlas.engine.outcome import Outcome
from atlas.figures.catalogue import make_figure
from atlas.figures.studio import NothingToShow, Unfinished
from atlas.query.atlas import all_atlases
from atlas.store.manifest import NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths


def figure_body(config: FigureConfig, overrides: list[str], mistakes: list[str]) -> Outcome:
    """Draw one of the sources' figures: atlas figure NAME.

    Its atlas is the one that is named, or else the newest one that has images of the model; its recipe is the one that
    this atlas was last asked for.
    """
    if not names_atlas(overrides):
        config = replace(config, out=newest_with_model(config) or config.out)
    if not any(override.startswith("recipe") for override in overrides):
        config = replace(config, recipe=last_recipe(AtlasPaths(config.out)) or config.recipe)
    outcome, paths = Outcome(), list[str]()
    try:
        for path in make_figure(config, mistakes, outcome.failures):
            paths.append(str(path))
            if for_people():
                click.echo(path)
    except Unfinished as error:
        outcome.stopped = str(error)
        say(f"{error}; the figure is not drawn: run the same again")
    except NothingToShow as error:
        outcome.failures.append(str(error))
    if not for_people():
        print_rows(pa.table({"path": pa.array(paths, pa.string())}))
    say_each("failed", outcome.failures)
    return outcome


def last_recipe(paths: AtlasPaths) -> RecipeConfig | None:
    """The recipe of conf/recipe/ that an atlas was last asked for by name; None where there is none."""
    with suppress(NotAnAtlas):
        names = [request["recipe"] for request in read_manifest(paths.manifest)["asked"]]
        return read_recipe(names[-1]) if names and names[-1] in known_recipes() else None
    return None


def newest_with_model(config: FigureConfig) -> str | None:
    """The newest atlas under outputs/ that has images of any of the config's models; None when there is none."""
    for folder in all_atlases():
        with suppress(NotAnAtlas):
            if set(models_in(AtlasPaths(folder))) & set(config.models):
                return str(folder)
    return None
