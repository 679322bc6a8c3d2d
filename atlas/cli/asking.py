"""The commands that ask what similarity found: similar, match; and export, which hands all of it to other tools."""

from typing import TYPE_CHECKING, Any

import click

from atlas.cli.reading import Refused, opened, place, reading, write
from atlas.cli.telling import say
from atlas.records import MEASURES, SCOPES

if TYPE_CHECKING:
    import pyarrow as pa

    from atlas.query.atlas import Atlas, Feature

SAME = ["scope", "measure", "probe"]  # of all rows the same: said once, on stderr
WITHIN = {
    "layer": "in its layer",
    "model": "in its model",
    "other": "in each other model",
    "all": "in all layers of all models",
}
EXPORTS = ("embedding-atlas", "hf", "csv")


@click.command()
@click.argument("feature")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@click.option("--measure", metavar="|".join(MEASURES), help="[default: sym within a layer, else profile]")
@click.option("--scope", metavar="|".join(SCOPES), help="Whom to compare with  [default: layer]")
@click.option("--to", metavar="MODEL", help="Only features of this model.")
@click.option("--mutual", is_flag=True, help="Only those that have FEATURE among their own nearest.")
@click.option("--opposite", is_flag=True, help="The most opposite instead.")
@click.option("--probe", default="atlas", show_default=True, help="Set of pictures that it was found with.")
@reading
def similar(feature: str, top: int, *, atlas: str | None, form: str, **options: Any) -> None:
    """The nearest features to FEATURE.

    FEATURE is an address, model/layer:channel, as googlenet/inception4a:12. `score` says little without `baseline`,
    the score that the same rank has against rotated copies of the layers compared with.

    Without a neighbor the table is empty, and stderr says why.
    """
    with opened(atlas) as held:
        found = held.feature(feature)
        rows = found.similar(top, **options)
        write(rows.drop_columns([*SAME, "image"]) if form == "table" else rows, form)
        _tell_similar(found, rows, top, form, options)
        _tell_freshness(held, str(options["probe"]))


def _tell_similar(feature: "Feature", rows: "pa.Table", top: int, form: str, options: dict[str, Any]) -> None:
    from atlas.query.question import Question
    from atlas.query.tables_known import comparison_record
    from atlas.query.why_empty import why_empty

    if not rows.num_rows:
        say(why_empty(feature.atlas, Question.complete(feature.address, **options)) or "")
        return
    scope, measure, probe = (rows[name][0].as_py() for name in SAME)
    if form == "table":
        words = "most opposite" if options["opposite"] else "nearest"
        place = f"in {options['to']}" if options["to"] else WITHIN[scope]
        shown = f"{words} {place}: scope {scope}, measure {measure}, probe {probe}"
        say(f"{feature}, {shown}; baseline: the score against rotated copies")
    if rows.num_rows >= top:
        return
    kept = comparison_record(feature.atlas, probe).get("bottom" if options["opposite"] else "top")
    if kept == rows.num_rows:
        say(f"{rows.num_rows} of {top}: similarity keeps the {kept} first of each list")


def _tell_freshness(atlas: "Atlas", probe: str) -> None:
    from atlas.query.tables_known import freshness

    if told := freshness(atlas, probe):
        say(f"note: {told}")


@click.command()
@click.argument("model_a")
@click.argument("model_b")
@click.option("--top", type=click.IntRange(min=1), help="Only the best so many  [default: all]")
@click.option("--mutual", is_flag=True, help="Only pairs that are each other's best match.")
@click.option("--probe", default="atlas", show_default=True, help="Set of pictures that it was found with.")
@reading
def match(
    model_a: str, model_b: str, top: int | None, mutual: bool, *, probe: str, atlas: str | None, form: str
) -> None:
    """Best matches of MODEL_A's features in MODEL_B.

    `excess` is the score above that of the best match in rotated copies of MODEL_B's layers; `partner` is a match one
    to one, in the layer that is most alike.
    """
    from atlas.query.matches import summary, why_unmatched

    with opened(atlas) as held:
        rows = held.match(model_a, model_b, top, mutual=mutual, probe=probe)
        write(rows, form)
        if rows.num_rows:
            everything = rows if top is None and not mutual else held.match(model_a, model_b, probe=probe)
            say(f"{model_a} in {model_b}: {summary(everything)}")
        else:
            say(why_unmatched(held, mutual))
        _tell_freshness(held, probe)


@click.command()
@click.argument("form", metavar="|".join(EXPORTS), type=click.Choice(EXPORTS))
@click.argument("out", type=click.Path())
@place
def export(form: str, out: str, atlas: str | None) -> None:
    """Write the atlas for other tools.

    Into the new folder OUT, whole or not at all.

    \b
    embedding-atlas  one Parquet file for `embedding-atlas`, Apple's viewer
    hf               a folder that Hugging Face's datasets.load_dataset opens
    csv              CSV files: features, neighbors, layers, matches, clusters, layout, examples
    """
    from atlas.query.export import export as exports

    with opened(atlas) as held:
        try:
            told = exports.export(held, form, out)
        except exports.NotEmpty as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise click.ClickException(f"nothing was exported: {error}") from None
    say(told)


COMMANDS = [similar, match, export]
