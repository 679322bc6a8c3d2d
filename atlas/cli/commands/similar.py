"""`atlas similar`: the neighbors of a feature on stdout; what they were compared by, or why there are none, on stderr."""

from typing import Any

import click
import pyarrow as pa

from atlas.cli.completion import addresses
from atlas.cli.messages import say
from atlas.cli.options import open_atlas, reading, say_freshness
from atlas.cli.tables import print_table, without_empty
from atlas.query.feature import Feature
from atlas.query.neighbors import beyond_chance
from atlas.query.question import Question
from atlas.query.tables_known import comparison_record
from atlas.query.why_empty import why_empty
from atlas.records import MEASURES, SCOPES

COMMON = ["scope", "measure", "probe"]  # equal in all rows: a table for people has them once, on stderr
WITHIN = {
    "layer": "in its layer",
    "model": "in its model",
    "other": "in each other model",
    "all": "in all layers of all models",
}


@click.command()
@click.argument("feature", shell_complete=addresses)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@click.option("--measure", metavar="|".join(MEASURES), help="[default: sym within a layer, else profile]")
@click.option("--scope", metavar="|".join(SCOPES), help="Whom to compare with  [default: layer]")
@click.option("--to", metavar="MODEL", help="Only features of this model.")
@click.option("--mutual", is_flag=True, help="Only those that have FEATURE among their own nearest.")
@click.option("--opposite", is_flag=True, help="The most opposite instead.")
@click.option("--probe", default="atlas", show_default=True, help="Set of pictures that it was found with.")
@reading
def similar(feature: str, top: int, *, atlas_name: str | None, form: str, **options: Any) -> None:
    """The nearest features to FEATURE.

    FEATURE is an address, model/layer:channel, as googlenet/inception4a:12; where that is one feature only, its name, as
    zebra, conv5:zebra or layer:channel. `score` says little without `baseline`, the score that the same rank has against
    rotated copies of the layers compared with, and `excess`, how far it goes beyond that: at 0 or below, chance does as well.

    Without a neighbor the table is empty, and stderr says why.
    """
    with open_atlas(atlas_name) as atlas:
        source = atlas.feature(feature)
        rows = source.similar(top, **options)
        print_table(_for_people(rows) if form == "table" else rows, form)
        if not rows.num_rows:
            say(why_empty(atlas, Question.complete(source.address, **options)) or "")
        else:
            if form == "table":
                say(_heading(source, rows, options))
            if note := beyond_chance(rows):
                say(f"note: {note}")
            _say_kept(source, rows, top, opposite=options["opposite"])
        say_freshness(atlas, options["probe"])


def _for_people(rows: pa.Table) -> pa.Table:
    """What differs from row to row; names where there are any."""
    return without_empty(rows.drop_columns([*COMMON, "image"]), "name")


def _heading(feature: Feature, rows: pa.Table, options: dict[str, Any]) -> str:
    """Which features were compared, and by what."""
    scope, measure, probe = (rows[name][0].as_py() for name in COMMON)
    kind = "most opposite" if options["opposite"] else "nearest"
    where = f"in {options['to']}" if options["to"] else WITHIN[scope]
    called = feature.name
    name = f" ({called})" if called else ""
    return (
        f"{feature}{name}, {kind} {where}: scope {scope}, measure {measure}, probe {probe}; "
        "baseline: the score against rotated copies"
    )


def _say_kept(feature: Feature, rows: pa.Table, top: int, *, opposite: bool) -> None:
    """Print to stderr when there are fewer rows than `top` only because similarity keeps no more."""
    if rows.num_rows >= top:
        return
    kept = comparison_record(feature.atlas, rows["probe"][0].as_py()).get("bottom" if opposite else "top")
    if kept == rows.num_rows:
        say(f"{rows.num_rows} of {top}: similarity keeps the {kept} first of each list")
