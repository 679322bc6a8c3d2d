"""`atlas export`: the whole atlas in another tool's format, as a new folder."""

import click

from atlas.cli.messages import say
from atlas.cli.options import Failed, Refused, atlas_option, open_atlas
from atlas.query.export.export import FORMS, NotEmpty
from atlas.query.export.export import export as write_export


@click.command()
@click.argument("form", metavar="|".join(FORMS), type=click.Choice(tuple(FORMS)))
@click.argument("out", type=click.Path())
@atlas_option
def export(form: str, out: str, atlas_name: str | None) -> None:
    """Write the atlas for other tools.

    Into the new folder OUT, whole or not at all.

    \b
    embedding-atlas  one Parquet file for `embedding-atlas`, Apple's viewer
    hf               a folder that Hugging Face's datasets.load_dataset opens
    csv              CSV files: features, nearest neighbors, layers, matches, clusters, layout, names, examples
    """
    with open_atlas(atlas_name) as atlas:
        try:
            say(write_export(atlas, form, out))
        except NotEmpty as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise Failed(f"nothing was exported: {error}") from None
