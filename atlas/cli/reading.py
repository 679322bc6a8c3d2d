"""The commands that read an atlas: status, verify, show, sql. Nothing heavy is imported before one of them runs."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli import FORMATS

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas, Feature

OUTPUTS = "outputs"
SHOWN = ["metric", "target", "seed", "recipe", "status", "score", "score_start", "loss", "steps", "image"]


class Refused(click.ClickException):
    """Something that was named does not exist: exit code 2, as for wrong arguments."""

    exit_code = 2


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every reading command."""
    shape = click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How stdout is written.")
    place = click.option("--atlas", "atlas", metavar="DIR", help=f"The atlas  [default: the newest under {OUTPUTS}/]")
    return place(shape(command))


@click.command()
@click.argument("place", metavar="[ATLAS]", required=False)
@reading
def status(place: str | None, atlas: str | None, form: str) -> None:
    """How a run stands, also while it runs.

    What is done, failed and left, how fast it goes, and who makes what.

    Works from another terminal while a job runs.
    """
    from atlas.query.state import count, read_state

    with _opened(place or atlas) as opened:
        if form in ("table", "json"):
            state = read_state(opened)
            _print_state(state) if form == "table" else click.echo(json.dumps(state, indent=2, ensure_ascii=False))
        else:
            _write(count(opened), form)


@click.command()
@click.argument("place", metavar="[ATLAS]", required=False)
@reading
def verify(place: str | None, atlas: str | None, form: str) -> None:
    """Check every file and every image's hash.

    Exit code 0: whole. 1: something is broken. 3: nothing is broken, but images failed or are left to do.
    """
    from atlas.query import verify as checks
    from atlas.store.paths import AtlasPaths

    paths = AtlasPaths(_find(place or atlas))
    if not paths.manifest.exists():
        raise Refused(f"{paths.root} is no atlas: it has no atlas.json")
    report = checks.verify(paths, _tell_images)
    if form == "json":
        click.echo(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    elif report.problems or form != "table":
        _write(report.table(), form)
    click.echo(f"{paths.root}: {report.summary()}", err=True)
    click.get_current_context().exit(report.exit_code)


@click.command()
@click.argument("feature")
@click.option("--open", "look", is_flag=True, help="Open the contact sheet in the system's viewer.")
@reading
def show(feature: str, look: bool, atlas: str | None, form: str) -> None:
    """Rows and contact sheet of one FEATURE.

    FEATURE is an address, model/layer:channel, as googlenet/inception4a:12.
    """
    from atlas.report.sheets import feature_sheet

    with _opened(atlas) as opened:
        found = opened.feature(feature)
        rows = found.rows()
        _write(rows.select(SHOWN) if form == "table" else rows, form)
        _tell_unmade(found)
        if not any(row["image"] for row in rows.to_pylist()):
            return
        try:
            sheet = feature_sheet(opened, found)
        except OSError as error:
            click.echo(f"no contact sheet: {error}", err=True)
            return
    click.echo(f"contact sheet: {sheet}", err=True)
    if look and click.launch(str(sheet)) != 0:
        click.echo("there is no viewer to open it with", err=True)


@click.command()
@click.argument("text")
@reading
def sql(text: str, atlas: str | None, form: str) -> None:
    """Ask the atlas in SQL.

    TEXT is one SELECT (DuckDB) over the views; `-` reads it from stdin.

    \b
    features  one row per image: score, status, activation, image, …
    images    one row per image file, with its absolute path
    failures  what could not be made, and why
    plan      every task that was asked for
    tasks     every task and its state: ok, dead, failed or left
    """
    with _opened(atlas) as opened:
        _write(opened.sql(sys.stdin.read() if text == "-" else text), form)


@contextmanager
def _opened(given: str | None) -> "Iterator[Atlas]":
    """The atlas that is meant; what it refuses becomes a message and an exit code."""
    from atlas.query.atlas import Atlas, UnknownName
    from atlas.query.guard import Damaged, QueryError
    from atlas.store.manifest import NotAnAtlas

    try:
        with Atlas(_find(given)) as atlas:
            yield atlas
    except (NotAnAtlas, UnknownName, QueryError) as error:
        raise Refused(str(error)) from None
    except Damaged as error:
        raise click.ClickException(str(error)) from None


def _find(given: str | None) -> Path:
    """The folder of an atlas by its path, or by its name under outputs/; the newest one when none is named."""
    from atlas.config.mistakes import nearest
    from atlas.query.atlas import newest
    from atlas.store.manifest import NotAnAtlas

    if given is None:
        try:
            return newest(OUTPUTS)
        except NotAnAtlas as error:
            raise Refused(str(error)) from None
    for folder in (Path(given), Path(OUTPUTS) / given):
        if folder.is_dir():
            return folder
    held = sorted(path.parent.name for path in Path(OUTPUTS).glob("*/atlas.json"))
    raise Refused(f"there is no atlas {given!r}, nor {OUTPUTS}/{given}: {nearest(given, held)}")


def _tell_images(number: int) -> None:
    """A counter in place, for whoever waits at a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{number:,} images\r", nl=False, err=True)


def _tell_unmade(feature: "Feature") -> None:
    """Say on stderr what is failed or left of a feature."""
    for row in feature.rows("failures").to_pylist():
        why = (row["error_message"] or "").strip().rpartition("\n")[2]
        click.echo(f"failed: {feature} {row['metric']} seed {row['seed']}: {row['error_type']}: {why}", err=True)
    left = sum(row["state"] == "left" for row in feature.rows("tasks").to_pylist())
    if left:
        click.echo(f"{left} of its images are left to do", err=True)


def _print_state(state: dict[str, Any]) -> None:
    from atlas.cli.summary import print_summary

    print_summary(state)
    if state["total"]["failed"]:
        click.echo('why some failed: atlas sql "select feature, error_type, error_message from failures"', err=True)


def _write(table: Any, form: str) -> None:
    from atlas.cli.tables import print_table

    print_table(table, form)


COMMANDS = [status, verify, show, sql]
