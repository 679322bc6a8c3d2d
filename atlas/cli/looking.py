"""The commands that look at an atlas: status, verify, show, sql. Nothing heavy is imported before one of them runs."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.reading import Refused, find, opened, reading, write
from atlas.cli.telling import say

if TYPE_CHECKING:
    from atlas.query.atlas import Feature

SHOWN = ["metric", "target", "seed", "recipe", "status", "score", "score_start", "self_rank", "loss", "steps", "image"]


@click.command()
@click.argument("place", metavar="[ATLAS]", required=False)
@reading
def status(place: str | None, atlas: str | None, form: str) -> None:
    """How a run stands, also while it runs.

    What is done, failed and left, how fast it goes, and who makes what.

    Works from another terminal while a job runs.
    """
    from atlas.query.state import count, read_state

    with opened(place or atlas) as held:
        if form in ("table", "json"):
            state = read_state(held)
            _print_state(state) if form == "table" else click.echo(json.dumps(state, indent=2, ensure_ascii=False))
        else:
            write(count(held), form)


@click.command()
@click.argument("place", metavar="[ATLAS]", required=False)
@reading
def verify(place: str | None, atlas: str | None, form: str) -> None:
    """Check every file and every image's hash.

    Exit code 0: whole. 1: something is broken. 3: nothing is broken, but images failed or are left to do.
    """
    from atlas.query.verify import verify as checks
    from atlas.store.paths import AtlasPaths

    paths = AtlasPaths(find(place or atlas))
    if not paths.manifest.exists():
        raise Refused(f"{paths.root} is no atlas: it has no atlas.json")
    report = checks.verify(paths, _tell_images)
    if form == "json":
        click.echo(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    elif report.problems or form != "table":
        write(report.table(), form)
    say(f"{paths.root}: {report.summary()}")
    click.get_current_context().exit(report.exit_code)


@click.command()
@click.argument("feature")
@click.option("--open", "look", is_flag=True, help="Open the contact sheet in the system's viewer.")
@reading
def show(feature: str, look: bool, atlas: str | None, form: str) -> None:
    """Rows and contact sheet of one FEATURE.

    FEATURE is an address, model/layer:channel, as googlenet/inception4a:12. The sheet has all its images, its nearest
    features and its opposites, and the pictures that drive it most, as far as `atlas similarity` has found them.
    """
    from atlas.report.sheets.feature_sheet import feature_sheet

    with opened(atlas) as held:
        found = held.feature(feature)
        rows = found.rows()
        write(rows.select(SHOWN) if form == "table" else rows, form)
        _tell_unmade(found)
        if not any(row["image"] for row in rows.to_pylist()):
            return
        try:
            sheet = feature_sheet(held, found)
        except OSError as error:
            say(f"no contact sheet: {error}")
            return
    say(f"contact sheet: {sheet}")
    if look and click.launch(str(sheet)) != 0:
        say("there is no viewer to open it with")


@click.command()
@click.argument("text")
@reading
def sql(text: str, atlas: str | None, form: str) -> None:
    """Ask the atlas in SQL.

    TEXT is one SELECT (DuckDB) over the views; `-` reads it from stdin. `describe features` lists a view's columns.

    \b
    features         one row per image: score, status, activation, self_rank, image, …
    images           one row per image file, with its absolute path
    tasks            every task and its state: ok, dead, failed or left
    plan, failures   every task that was asked for; what could not be made, and why
    neighbors        who is like whom, by scope and measure, beside the rotated baseline
    neighbors_named  the same with model, layer and channel of both, and an image
    layers, matches  how alike layers are; the best match of each feature in other models
    clusters, layout families and their order within a layer; all features in a plane
    quality          whether an image is the one that drives its channel most
    responses        what each picture does to every channel of a layer
    examples         the pictures that drive each feature most
    traces           what every channel of a layer did while one was driven (trace=full)
    """
    with opened(atlas) as held:
        write(held.sql(sys.stdin.read() if text == "-" else text), form)


def _tell_images(number: int) -> None:
    """A counter in place, for whoever waits at a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{number:,} images\r", nl=False, err=True)


def _tell_unmade(feature: "Feature") -> None:
    """Say on stderr what is failed or left of a feature."""
    for row in feature.rows("failures").to_pylist():
        why = (row["error_message"] or "").strip().rpartition("\n")[2]
        say(f"failed: {feature} {row['metric']} seed {row['seed']}: {row['error_type']}: {why}")
    left = sum(row["state"] == "left" for row in feature.rows("tasks").to_pylist())
    if left:
        say(f"{left} of its images are left to do")


def _print_state(state: dict[str, Any]) -> None:
    from atlas.cli.summary import print_summary

    print_summary(state)
    if state["total"]["failed"]:
        say('why some failed: atlas sql "select feature, error_type, error_message from failures"')


COMMANDS = [status, verify, show, sql]
