"""What the commands that read an atlas share: their options, which atlas is meant, and how wrong names are refused."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os.path import isfile
from pathlib import Path
from typing import IO, Any

import click

from atlas.cli import FORMATS
from atlas.cli.messages import say
from atlas.config.mistakes import nearest
from atlas.engine.outcome import FAULT, WRONG
from atlas.query.atlas import Atlas, newest
from atlas.query.guard import Damaged, QueryError
from atlas.query.names import UnknownName
from atlas.query.tables_known import freshness
from atlas.store.bucket_path import MARK, path_of
from atlas.store.manifest import NotAnAtlas

OUTPUTS = "outputs"


class Failed(click.ClickException):
    """What was asked for cannot be done, as a file is damaged, or storage fails: one sentence, exit code 1."""

    exit_code = FAULT

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it as jobs print theirs."""
        say(f"atlas: {self.message}")


class Refused(Failed):
    """An argument names something that does not exist: exit code 2, as for other wrong arguments."""

    exit_code = WRONG


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """Add --atlas and --format, the options of every command that answers with rows of an atlas."""
    form = click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How stdout is written.")
    return atlas_option(form(command))


def atlas_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that names an atlas; an atlas that stands where no argument is taken is told how it is named."""
    text = f"The atlas  [default: the newest under {OUTPUTS}/]"
    extra = click.argument("extra", nargs=-1, metavar="", expose_value=False, callback=_refuse_extra)
    return click.option("--atlas", "atlas_name", metavar="DIR", help=text)(extra(command))


def _refuse_extra(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
    if not words:
        return
    # not Path.is_file, which raises at what is too long for a name, as a word of SQL may be
    atlas = next((word for word in words if any(isfile(folder / "atlas.json") for folder in _places(word))), None)
    hint = "" if atlas is None else f"; an atlas is named by --atlas {shlex.quote(atlas)}"
    context.fail(f"Got unexpected extra argument{'s' * (len(words) > 1)} ({' '.join(words)}){hint}")


@contextmanager
def open_atlas(name: str | None) -> Iterator[Atlas]:
    """Open the atlas that `find_atlas` finds.

    Errors of the atlas and of questions to it become Refused (exit code 2); a damaged file is Failed (1).
    """
    try:
        with storage_told(), Atlas(find_atlas(name)) as atlas:
            yield atlas
    except (NotAnAtlas, UnknownName, QueryError) as error:
        raise Refused(str(error)) from None
    except Damaged as error:
        raise Failed(str(error)) from None


@contextmanager
def storage_told() -> Iterator[None]:
    """Turn an error of the storage, as of a store that does not answer, into Failed."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise Failed(f"{error.filename} cannot be read: {error.strerror}") from None


def find_atlas(name: str | None) -> Path:
    """The folder of an atlas by its path, or by its name under outputs/; the newest one when none is named.

    Refused when there is none, with the nearest names.
    """
    if name is None:
        return _newest_atlas()
    if MARK in name:
        return path_of(name)
    for folder in _places(name):
        if folder.is_dir():
            return folder
    raise Refused(f"there is no atlas {name!r}, nor {OUTPUTS}/{name}: {nearest(name, sorted(_atlas_names()))}")


def _places(name: str) -> tuple[Path, Path]:
    """Where an atlas of that path, or name, may lie."""
    return Path(name), Path(OUTPUTS) / name


def _newest_atlas() -> Path:
    try:
        folder = newest(OUTPUTS)
    except NotAnAtlas as error:
        raise Refused(str(error)) from None
    if len(_atlas_names()) > 1:
        say(f"the newest atlas: {folder}")
    return folder


def _atlas_names() -> list[str]:
    return [path.parent.name for path in Path(OUTPUTS).glob("*/atlas.json")]


def say_freshness(atlas: Atlas, probe: str) -> None:
    """Print a note to stderr when the atlas has changed since its features were compared by the pictures of `probe`."""
    if note := freshness(atlas, probe):
        say(f"note: {note}")
