"""What the commands that read an atlas share: their options, which atlas is meant, and how it refuses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli import FORMATS
from atlas.cli.telling import say

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas

OUTPUTS = "outputs"


class Refused(click.ClickException):
    """Something that was named does not exist: exit code 2, as for wrong arguments."""

    exit_code = 2


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every reading command."""
    shape = click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How stdout is written.")
    return place(shape(command))


def place(command: Callable[..., None]) -> Callable[..., None]:
    """The option that names an atlas."""
    text = f"The atlas  [default: the newest under {OUTPUTS}/]"
    return click.option("--atlas", "atlas", metavar="DIR", help=text)(command)


@contextmanager
def opened(given: str | None) -> "Iterator[Atlas]":
    """The atlas that is meant; what it refuses becomes a message and an exit code."""
    from atlas.query.atlas import Atlas
    from atlas.query.guard import Damaged, QueryError
    from atlas.query.names import UnknownName
    from atlas.store.manifest import NotAnAtlas

    try:
        with Atlas(find(given)) as atlas:
            yield atlas
    except (NotAnAtlas, UnknownName, QueryError) as error:
        raise Refused(str(error)) from None
    except Damaged as error:
        raise click.ClickException(str(error)) from None


def find(given: str | None) -> Path:
    """The folder of an atlas by its path, or by its name under outputs/; the newest one when none is named."""
    from atlas.config.mistakes import nearest
    from atlas.query.atlas import newest
    from atlas.store.manifest import NotAnAtlas

    if given is None:
        try:
            found = newest(OUTPUTS)
            if len(list(Path(OUTPUTS).glob("*/atlas.json"))) > 1:
                say(f"the newest atlas: {found}")
            return found
        except NotAnAtlas as error:
            raise Refused(str(error)) from None
    for folder in (Path(given), Path(OUTPUTS) / given):
        if folder.is_dir():
            return folder
    held = sorted(path.parent.name for path in Path(OUTPUTS).glob("*/atlas.json"))
    raise Refused(f"there is no atlas {given!r}, nor {OUTPUTS}/{given}: {nearest(given, held)}")


def write(table: Any, form: str) -> None:
    from atlas.cli.tables import print_table

    print_table(table, form)
