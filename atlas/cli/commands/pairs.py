"""`atlas pairs`: the closest pairs of an atlas on stdout; how many are beyond chance, or why there are none, on stderr."""

import click

from atlas.cli.messages import say
from atlas.cli.options import open_atlas, reading, say_freshness
from atlas.cli.tables import print_table, without_empty
from atlas.query.neighbors import beyond_chance
from atlas.query.pairs import why_no_pairs
from atlas.records import MEASURES, SCOPES


@click.command()
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option(
    "--scope", metavar="|".join(SCOPES), default="layer", show_default=True, help="Whom features are paired with."
)
@click.option("--measure", metavar="|".join(MEASURES), help="[default: sym within a layer, else profile]")
@click.option("--model", help="Only features of this model.")
@click.option("--probe", default="atlas", show_default=True, help="Set of pictures that it was found with.")
@reading
def pairs(
    top: int, scope: str, measure: str | None, *, model: str | None, probe: str, atlas_name: str | None, form: str
) -> None:
    """The closest pairs of the atlas.

    Each pair is named once, the furthest beyond its `baseline` first, the score that the same rank has against rotated
    copies of the layers: `excess` is what it goes beyond that.
    """
    with open_atlas(atlas_name) as atlas:
        rows = atlas.pairs(top, scope=scope, measure=measure, model=model, probe=probe)
        print_table(without_empty(rows, "src_name", "dst_name") if form == "table" else rows, form)
        if not rows.num_rows:
            say(why_no_pairs(atlas, scope, measure, probe))
        elif note := beyond_chance(rows):
            say(f"note: {note}")
        say_freshness(atlas, probe)
