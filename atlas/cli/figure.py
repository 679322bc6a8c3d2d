"""`atlas figure NAME`: which atlas is meant, the paths of what is drawn on stdout, and the exit code."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from atlas.cli import DONE, INTERRUPTED, SOME_FAILED
from atlas.cli.stages import NAMED
from atlas.cli.telling import say, tell_each
from atlas.figures import NAMES

if TYPE_CHECKING:
    from atlas.config.schema import FigureConfig


def figure_body(config: "FigureConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas figure NAME`: make one figure of the atlas that is named, or else of the newest one that has images of the model."""
    from atlas.figures.catalogue import make_figure
    from atlas.figures.studio import NothingToShow, Unfinished

    if not any(word.lstrip("+~").startswith(NAMED) for word in overrides):
        config.out = _newest(config) or config.out
    failures: list[str] = []
    try:
        for path in make_figure(config, mistakes, failures):
            click.echo(path)
    except Unfinished as error:
        say(f"{error}; the figure is not drawn: run the same again")
        return INTERRUPTED
    except NothingToShow as error:
        failures.append(str(error))
    tell_each("failed", failures)
    return SOME_FAILED if failures else DONE


def _newest(config: "FigureConfig") -> str | None:
    from atlas.query.atlas import all_atlases
    from atlas.store.manifest import NotAnAtlas, read_manifest
    from atlas.store.paths import AtlasPaths

    for folder in all_atlases():
        with suppress(NotAnAtlas):
            held = {variant["model"] for variant in read_manifest(AtlasPaths(folder).manifest)["variants"]}
            if held & set(config.models):
                return str(folder)
    return None


def with_name(arguments: list[str]) -> list[str]:
    """The overrides of `NAME key=value …`; ConfigError where no figure is named, unless Hydra is asked for help."""
    from atlas.config.mistakes import ConfigError

    if arguments and "=" not in arguments[0] and not arguments[0].startswith("-"):
        return [f"figure={arguments[0]}", *arguments[1:]]
    if any(word.startswith(("figure=", "-")) for word in arguments):
        return arguments
    raise ConfigError([f"name a figure, as atlas figure {NAMES[0]}: {', '.join(NAMES)}"])
