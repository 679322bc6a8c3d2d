"""`atlas verify`: every promise about an atlas' files, checked; the exit code is the verdict."""

import json
import sys

import click

from atlas.cli.messages import say
from atlas.cli.options import Refused, find_atlas, reading, storage_told
from atlas.cli.tables import print_table
from atlas.query.verify.verify import verify as check
from atlas.store.paths import AtlasPaths


@click.command()
@click.argument("folder", metavar="[ATLAS]", required=False)
@reading
def verify(folder: str | None, atlas_name: str | None, form: str) -> None:
    """Check every file and every image's hash.

    Exit code 0: whole. 1: something is broken. 3: nothing is broken, but images failed or are left to do.
    """
    paths = AtlasPaths(find_atlas(folder or atlas_name))
    with storage_told():
        if not paths.manifest.exists() and not paths.index.is_dir():
            raise Refused(f"{paths.root} is no atlas: it has no atlas.json")
        report = check(paths, _show_count)
    if form == "json":
        click.echo(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    elif report.problems or form != "table":
        print_table(report.table(), form)
    say(f"{paths.root}: {report.summary()}")
    click.get_current_context().exit(report.exit_code)


def _show_count(images: int) -> None:
    """Overwrite the count of images checked so far, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"{images:,} images\r", nl=False, err=True)
