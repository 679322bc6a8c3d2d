"""`atlas names`: what labelled pictures say that features are of."""

import click

from atlas.cli.completion import addresses
from atlas.cli.messages import say
from atlas.cli.options import open_atlas, reading, say_freshness
from atlas.cli.tables import print_table
from atlas.query.label_names import default_probe, why_unnamed


@click.command()
@click.argument("feature", required=False, shell_complete=addresses)
@click.option("--model", help="Only features of this model.")
@click.option("--layer", help="Only features of this layer.")
@click.option("--probe", help="Set of pictures that gave the names  [default: the photographs, else the drawings]")
@reading
def names(
    feature: str | None, model: str | None, layer: str | None, *, probe: str | None, atlas_name: str | None, form: str
) -> None:
    """The label whose pictures drive a feature most.

    Of FEATURE, an address as googlenet/inception4a:12, or of all. `auc` is the share of pairs of a picture with the
    label and one without in which the first drives the feature more; `p`, over all labels, how often labels given at
    random do as well. A name has p < 0.01; `runner_up` is the label of the next AUC.
    """
    with open_atlas(atlas_name) as atlas:
        rows = atlas.names(feature, model=model, layer=layer, probe=probe)
        print_table(rows, form)
        used = default_probe(atlas) if probe is None else probe
        if not rows.num_rows:
            say(why_unnamed(atlas, feature, probe))
        else:
            named = rows.num_rows - rows["name"].null_count
            say(f"{named:,} of {rows.num_rows:,} live features have a name, by the pictures of probe {used}")
        if used is not None:
            say_freshness(atlas, used)
