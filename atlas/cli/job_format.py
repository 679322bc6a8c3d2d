"""`--format json` among a job's arguments: taken out of what Hydra reads, and kept for the tables that the job prints."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import pyarrow as pa

from atlas.cli import FORMATS
from atlas.cli.tables import print_table
from atlas.config.mistakes import ConfigError, nearest

OPTION = "--format"

_form: ContextVar[str] = ContextVar("form", default=FORMATS[0])


def split_format(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """One of FORMATS, and the arguments without the option that names it; ConfigError for a format that there is not."""
    form, rest, words = FORMATS[0], list[str](), iter(arguments)
    for word in words:
        if word == OPTION or word.startswith(f"{OPTION}="):
            form = word.partition("=")[2] if "=" in word else next(words, "")
        else:
            rest.append(word)
    if form not in FORMATS:
        raise ConfigError([f"{OPTION} {form}: no such format; {nearest(form, FORMATS)}"])
    return form, rest


@contextmanager
def printing(form: str) -> Iterator[None]:
    """Have a job inside print its tables in a format."""
    token = _form.set(form)
    try:
        yield
    finally:
        _form.reset(token)


def print_rows(table: pa.Table) -> None:
    """Print a table of a job to stdout, in the format that was asked for."""
    print_table(table, _form.get())


def for_people() -> bool:
    """Whether nobody has asked for another format than the one for people."""
    return _form.get() == FORMATS[0]


def print_outcome(row: dict[str, object]) -> None:
    """Print what a job came to as one row, for programs; people are told on stderr."""
    if not for_people():
        print_rows(pa.Table.from_pylist([row]))
