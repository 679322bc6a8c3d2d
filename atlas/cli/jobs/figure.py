"""`atlas figure NAME`: one figure of an atlas; the paths of its files on stdout."""

from contextlib import suppress
from dataclasses import replace

import click

from atlas.cli import DONE, INTERRUPTED, SOME_FAILED
from atlas.cli.messages import say, say_each
from atlas.cli.which_atlas import models_in, names_atlas
from atlas.config.schema import FigureConfig
from atlas.figures.catalogue import make_figure
from atlas.figures.studio import NothingToShow, Unfinished
from atlas.query.atlas import all_atlases
from atlas.store.manifest import NotAnAtlas
from atlas.store.paths import AtlasPaths


def figure_body(config: FigureConfig, overrides: list[str], mistakes: list[str]) -> int:
    """Draw one of the sources' figures: atlas figure NAME.

    Its atlas is the one that is named, or else the newest one that has images of the model.
    """
    if not names_atlas(overrides):
        config = replace(config, out=newest_with_model(config) or config.out)
    failures: list[str] = []
    try:
        for path in make_figure(config, mistakes, failures):
            click.echo(path)
    except Unfinished as error:
        say(f"{error}; the figure is not drawn: run the same again")
        return INTERRUPTED
    except NothingToShow as error:
        failures.append(str(error))
    say_each("failed", failures)
    return SOME_FAILED if failures else DONE


def newest_with_model(config: FigureConfig) -> str | None:
    """The newest atlas under outputs/ that has images of any of the config's models; None when there is none."""
    for folder in all_atlases():
        with suppress(NotAnAtlas):
            if set(models_in(AtlasPaths(folder))) & set(config.models):
                return str(folder)
    return None
