"""`atlas layers MODEL`: what there is to look at in a model."""

import sys

import click
import pyarrow as pa

from atlas.cli import FORMATS, WRONG
from atlas.cli.messages import say
from atlas.cli.tables import print_table
from atlas.config.compose import compose_model
from atlas.config.mistakes import ConfigError
from atlas.zoo.card import layer_table


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
        specs, defaults = layer_table(model, compose_model(model, config_dir))
    except ConfigError as error:
        say(f"atlas: {error}")
        sys.exit(WRONG)
    rows = [
        {
            "layer": layer.name,
            "index": layer.index,
            "type": layer.kind,
            "channels": layer.channels,
            "height": layer.height,
            "width": layer.width,
            "zone": layer.zone,
            "gmac": round(layer.macs / 1e9, 4),
            "default": layer.name in defaults,
        }
        for layer in specs
        if every or layer.name in defaults
    ]
    print_table(pa.Table.from_pylist(rows), form)
