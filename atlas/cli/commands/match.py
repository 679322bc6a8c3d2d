"""`atlas match`: the best matches of one model's features in another on stdout, what they come to on stderr."""

import click

from atlas.cli.messages import say
from atlas.cli.options import open_atlas, reading, say_freshness
from atlas.cli.tables import print_table
from atlas.query.matches import summary, why_unmatched


@click.command()
@click.argument("model_a")
@click.argument("model_b")
@click.option("--top", type=click.IntRange(min=1), help="Only the best so many  [default: all]")
@click.option("--mutual", is_flag=True, help="Only pairs that are each other's best match.")
@click.option("--probe", default="atlas", show_default=True, help="Set of pictures that it was found with.")
@reading
def match(
    model_a: str, model_b: str, top: int | None, mutual: bool, *, probe: str, atlas_name: str | None, form: str
) -> None:
    """Best matches of MODEL_A's features in MODEL_B.

    `excess` is the score above that of the best match in rotated copies of MODEL_B's layers; `partner` is a match one
    to one, in the layer that is most alike.
    """
    with open_atlas(atlas_name) as atlas:
        matches = atlas.match(model_a, model_b, top, mutual, probe)
        print_table(matches, form)
        if matches.num_rows:
            complete = matches if top is None and not mutual else atlas.match(model_a, model_b, probe=probe)
            say(f"{model_a} in {model_b}: {summary(complete)}")
        else:
            say(why_unmatched(atlas, mutual))
        say_freshness(atlas, probe)
