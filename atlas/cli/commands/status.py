"""`atlas status`: where a run stands, as a summary for people or as rows."""

import json
from time import sleep
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from atlas.cli.messages import say
from atlas.cli.options import Refused, open_atlas, reading
from atlas.cli.summary import print_summary, summary
from atlas.cli.tables import print_table
from atlas.query.atlas import Atlas
from atlas.query.shell import failures
from atlas.query.state import count, read_state

QUIET = 5  # looks in a row at which nobody is at work, after which nobody is
EVERY = 2.0  # seconds between two looks, as a run writes its status


@click.command()
@click.argument("folder", metavar="[ATLAS]", required=False)
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until no run is at work.")
@reading
def status(folder: str | None, watch: bool, atlas_name: str | None, form: str) -> None:
    """How a run stands, also while it runs.

    What is done, failed and left, how fast it goes, and who makes what.

    Works from another terminal while a job runs.
    """
    if watch and form != "table":
        raise Refused(f"--watch shows a summary for people; --format {form} is said once")
    with open_atlas(folder or atlas_name) as atlas:
        if form not in ("table", "json"):
            print_table(count(atlas), form)
            return
        state = _watched(atlas) if watch and form == "table" else read_state(atlas)
        if form == "json":
            click.echo(json.dumps(state, indent=2, ensure_ascii=False))
            return
        if not watch:
            print_summary(state)
        if state["total"]["failed"]:
            say(f"why some failed: {failures(atlas.path)}")


def _watched(atlas: Atlas) -> dict[str, Any]:
    """Show the state until nobody is at work, and return the last."""
    quiet = QUIET - 1 if read_state(atlas)["state"] != "running" else 0
    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        while True:
            state = read_state(atlas)
            live.update(summary(state), refresh=True)
            # between two stages of a job nobody holds the atlas for a moment
            quiet = 0 if state["state"] == "running" else quiet + 1
            if quiet == QUIET:
                return state
            sleep(EVERY)
