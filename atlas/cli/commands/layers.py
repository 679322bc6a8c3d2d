"""`atlas layers MODEL`: what there is to look at in a model."""

import sys

import click

from atlas.cli import FORMATS
from atlas.cli.messages import say
from atlas.cli.tables import print_table
from atlas.config.mistakes import ConfigError
from atlas.engine.outcome import WRONG
from atlas.zoo.listing import layers as list_layers


@click.command()
@click.argument("model")
@click.option("--all", "every", is_flag=True, help="Every layer, not only those of `layers: default`.")
@click.option("--config-dir", help="Folder with model files of your own, as for the jobs.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table")
def layers(model: str, every: bool, config_dir: str | None, form: str) -> None:
    """List the layers of MODEL.

    In order of execution: type, channels, map size at the model's input size, zone, multiply-adds from the input to
    here (gmac), and whether `layers: default` takes it. Needs no weights.
    """
    try:
        table = list_layers(model, every=every, config_dir=config_dir)
    except ConfigError as error:
        say(f"atlas: {error}")
        sys.exit(WRONG)
    print_table(table, form)
