"""`atlas status`: where a run stands, as a summary for people or as rows."""

import json

import click

from atlas.cli.messages import say
from atlas.cli.options import open_atlas, reading
from atlas.cli.summary import print_summary
from atlas.cli.tables import print_table
from atlas.query.shell import failures
from atlas.query.state import count, read_state


@click.command()
@click.argument("folder", metavar="[ATLAS]", required=False)
@reading
def status(folder: str | None, atlas_name: str | None, form: str) -> None:
    """How a run stands, also while it runs.

    What is done, failed and left, how fast it goes, and who makes what.

    Works from another terminal while a job runs.
    """
    with open_atlas(folder or atlas_name) as atlas:
        if form not in ("table", "json"):
            print_table(count(atlas), form)
            return
        state = read_state(atlas)
        if form == "json":
            click.echo(json.dumps(state, indent=2, ensure_ascii=False))
            return
        print_summary(state)
        if state["total"]["failed"]:
            say(f"why some failed: {failures(atlas.path)}")
