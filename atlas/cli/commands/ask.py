"""`atlas ask`: what a picture of one's own drives."""

import click

from atlas.cli.messages import say
from atlas.cli.options import Refused, open_atlas, reading, say_freshness
from atlas.cli.tables import print_table
from atlas.query.asking import CannotAsk


@click.command()
@click.argument("picture")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--model", help="Only features of this model.")
@click.option("--layer", help="Only features of this layer.")
@click.option("--probe", help="Pictures to compare with  [default: natural ones, else the atlas's own images]")
@reading
def ask(
    picture: str,
    top: int,
    model: str | None,
    layer: str | None,
    *,
    probe: str | None,
    atlas_name: str | None,
    form: str,
) -> None:
    """The features that PICTURE drives most.

    PICTURE is a file, or sklearn:china.jpg or sklearn:flower.jpg, photographs that come with scikit-learn. `z` is by
    how many deviations the response (mean activation) exceeds what the pictures of the probe do; the box x0 y0 x1 y1
    holds the pixels of PICTURE that reach the place where the feature is driven most.
    """
    with open_atlas(atlas_name) as atlas:
        try:
            rows = atlas.ask(picture, top, model=model, layer=layer, probe=probe)
        except CannotAsk as error:
            raise Refused(str(error)) from None
        print_table(rows, form)
        used = rows.schema.metadata[b"probe"].decode()
        say(f"{picture}: compared with the pictures of probe {used}")
        say_freshness(atlas, used)
