"""`atlas publish`: the site of an atlas as a folder that any static host serves."""

import re
import sys
from pathlib import Path

import click

from atlas.cli.messages import say
from atlas.cli.options import Failed, Refused, atlas_option, open_atlas
from atlas.engine.outcome import INTERRUPTED
from atlas.engine.signals import StopNow, leaving_at_once
from atlas.report.site.publish import NotNew, TooLarge, plan, require_new
from atlas.report.site.publish import publish as write_publication
from atlas.report.site.write import write_site
from atlas.store.bucket_path import path_of
from atlas.store.lock import Locked
from atlas.store.writing import Writing

UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}


class Bytes(click.ParamType):
    """A size as 900MB."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMG]?)B?", str(value).strip(), re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is no size: write 900MB or 2GB", param, ctx)
        return round(float(match[1]) * UNITS[match[2].upper()])


@click.command()
@click.argument("folder", metavar="DIR", type=path_of)
@click.option(
    "--max", "most", metavar="SIZE", type=Bytes(), default="900MB", show_default=True, help="At most so large."
)
@click.option("--url", "address", default="", help="Where it will be served, so that a link's preview has its picture.")
@atlas_option
def publish(folder: Path, most: int, address: str, atlas_name: str | None) -> None:
    """Write the site as a folder for any static host.

    Into the new folder DIR, whole or not at all: the pages, brought up to date first, with small pictures in place of the
    images, as small as --max makes them; its size is told before. `?embed=1` in a link to a page of it shows that page
    alone, for a frame in another page.
    """
    with open_atlas(atlas_name) as atlas, leaving_at_once():
        try:
            require_new(folder)
            # as long as files of the site are copied, nobody else may write it
            with Writing(atlas.paths):
                write_site(atlas.paths)
                publication = plan(atlas, most)
                say(f"publish: {publication.sentence}")
                size = write_publication(publication, folder.absolute(), address)
        except (NotNew, TooLarge, Locked) as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise Failed(f"nothing was published: {error}") from None
        except StopNow:
            say("stopped; nothing was published")
            sys.exit(INTERRUPTED)
    say(f"{folder}: {size / 1e6:,.1f} MB; copy it to any static host, or open")
    say(str(folder / "index.html"))
