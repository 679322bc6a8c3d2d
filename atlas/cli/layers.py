"""`atlas layers MODEL`: what there is to look at in a model."""

import sys

import click

from atlas.cli import FORMATS


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
    import pyarrow as pa

    from atlas.cli.tables import print_table
    from atlas.config.compose import compose_model
    from atlas.config.mistakes import ConfigError
    from atlas.zoo.card import layer_table

    try:
        found, chosen = layer_table(model, compose_model(model, config_dir))
    except ConfigError as error:
        click.echo(f"atlas: {error}", err=True)
        sys.exit(2)
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
            "default": layer.name in chosen,
        }
        for layer in found
        if every or layer.name in chosen
    ]
    print_table(pa.Table.from_pylist(rows), form)
