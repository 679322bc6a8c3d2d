"""`atlas show`: one feature's rows on stdout, and a contact sheet of it and its neighbors as a file."""

from pathlib import Path

import click

from atlas.cli.completion import addresses
from atlas.cli.messages import say
from atlas.cli.options import Failed, Refused, open_atlas, reading
from atlas.cli.tables import print_table
from atlas.query.atlas import Atlas
from atlas.query.feature import Feature
from atlas.report.card import write_card
from atlas.report.sheets.feature_sheet import feature_sheet

# the columns of --format table; the other formats have all of them
COLUMNS = [
    "name",
    "metric",
    "target",
    "seed",
    "recipe",
    "status",
    "score",
    "score_start",
    "self_rank",
    "loss",
    "steps",
    "image",
]


@click.command()
@click.argument("feature", shell_complete=addresses)
@click.option("--open", "launch", is_flag=True, help="Open the contact sheet in the system's viewer.")
@click.option(
    "--card", metavar="FILE", type=click.Path(path_type=Path), help="Write a card of it as well: .svg or .png."
)
@reading
def show(feature: str, launch: bool, card: Path | None, *, atlas_name: str | None, form: str) -> None:
    """Rows and contact sheet of one FEATURE.

    FEATURE is an address, model/layer:channel, as googlenet/inception4a:12; where that is one feature only, its name, as
    zebra, conv5:zebra or layer:channel. The sheet has all its images, its nearest features and its opposites, and the
    pictures that drive it most, as far as `atlas similarity` has found them.
    """
    with open_atlas(atlas_name) as atlas:
        shown = atlas.feature(feature)
        rows = shown.rows()
        print_table(rows.select(COLUMNS) if form == "table" else rows, form)
        _say_unmade(shown)
        if card is not None:
            _write_card(atlas, shown, card)
        if not any(row["image"] for row in rows.to_pylist()):
            return
        try:
            sheet = feature_sheet(atlas, shown)
        except OSError as error:
            say(f"no contact sheet: {error}")
            return
    say(f"contact sheet: {sheet}")
    if launch and click.launch(str(sheet)) != 0:
        say("there is no viewer to open it with")


def _write_card(atlas: Atlas, feature: Feature, file: Path) -> None:
    """Write a card; Refused for another form than it has, Failed where it cannot be written."""
    try:
        write_card(atlas, feature, file)
    except ValueError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Failed(f"no card: {error}") from None
    say(f"card: {file}")


def _say_unmade(feature: Feature) -> None:
    """Print to stderr which images of a feature failed, and how many are left."""
    for row in feature.rows("failures").to_pylist():
        say(f"failed: {feature} {row['metric']} seed {row['seed']}: {row['error_type']}: {row['error_message']}")
    left = sum(row["state"] == "left" for row in feature.rows("tasks").to_pylist())
    if left:
        say(f"{left} of its images are left to do")
