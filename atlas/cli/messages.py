"""Messages on stderr, and the ones that several jobs end with. stdout is for data."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from atlas.engine.terminal import tell

LISTED = 12  # pictures, or failures, named one by one
PICTURES = {"sheets": "contact sheets", "maps": "similarity maps"}  # what a folder of an atlas holds


def say(message: str) -> None:
    """Print a message to stderr."""
    tell(message)


def say_each(word: str, messages: Iterable[str]) -> None:
    """Print several messages of one kind, a line each: `word: message`."""
    for message in messages:
        say(f"{word}: {message}")


def say_pictures(folder: Path, written: Sequence[Path]) -> None:
    """Print the first of the pictures that were written, and the folder that holds them and all older ones."""
    for path in written[:LISTED]:
        say(f"  {path}")
    if len(written) > LISTED:
        say(f"  … and {len(written) - LISTED} more")
    if any(folder.rglob("*.png")):
        say(f"{PICTURES[folder.name]}: {folder}")


def say_abandoned(abandoned: dict[str, str]) -> None:
    """Print the models that no worker could load, and why."""
    for model, message in abandoned.items():
        say(f"{model} could not be loaded where the work runs: {message}")


def counted(number: int, noun: str) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
