"""What a job came to, in a few lines on stderr."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from atlas.query.shell import failures, sentence

if TYPE_CHECKING:
    from atlas.generate import job as generate
    from atlas.report.site.write import SiteSummary
    from atlas.similarity import job as similarity

EVERY = 5.0  # seconds between lines on how far something is
LISTED = 12  # pictures, or failures, named one by one


def say(message: str) -> None:
    """A message, which is no data: to stderr."""
    click.echo(message, err=True)


def tell_each(word: str, messages: Sequence[str]) -> None:
    """A line for each of several messages of one kind."""
    for message in messages:
        say(f"{word}: {message}")


def tell_images(outcome: "generate.Outcome") -> None:
    """What `atlas generate` came to."""
    tell_each("note", outcome.notes)
    root = outcome.paths.root
    if outcome.stopped:
        say(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left; run the same again to resume")
    elif outcome.idle:
        failed = f" but {outcome.failed} that failed" if outcome.failed else ""
        say(f"nothing to do: {root} has all {outcome.planned} images that were asked for{failed}")
    else:
        dead = f", {outcome.dead} of them dead (no gradient reaches the image)" if outcome.dead else ""
        say(f"{root}: {outcome.made} images made{dead}; {outcome.left} left")
    if outcome.failed:
        say(f"{outcome.failed} images failed; `{failures(root)}` lists them, retry=failed tries them again")
    _tell_abandoned(outcome.abandoned)


def tell_similarity(outcome: "similarity.Outcome") -> None:
    """What `atlas similarity` came to."""
    tell_each("note", outcome.notes)
    root = outcome.paths.root
    if outcome.stopped:
        say(f"{outcome.stopped}: {outcome.looked} pictures looked at; run the same again to resume")
    elif outcome.idle and outcome.features:
        say(f"nothing to do: the similarity of {root}'s {_counted(outcome.features, 'feature')} is up to date")
    for probe, features in outcome.compared.items():
        say(f"{root}: {_counted(features, 'feature')} compared by what the pictures of probe {probe} do to them")
    if outcome.unread:
        say(f"{_counted(outcome.unread, 'picture')} could not be looked at, to be tried again by the next run")
    tell_each("failed", outcome.failures[:LISTED])
    _tell_abandoned(outcome.abandoned)


def tell_site(written: "SiteSummary") -> None:
    """What `atlas site` came to; the last line is the page to open."""
    tell_each("note", [sentence(note) for note in written.notes])
    removed = f", {written.removed:,} removed" if written.removed else ""
    say(f"site: {_counted(written.written, 'file')} written, {written.kept:,} up to date{removed}; open")
    say(str(written.index))


class SiteProgress:
    """A line now and then on how far a site is, once it takes its time."""

    def __init__(self) -> None:
        self._said = monotonic()

    def __call__(self, layer: str, number: int, total: int) -> None:
        if monotonic() - self._said > EVERY:
            self._said = monotonic()
            say(f"site: layer {number} of {total}, {layer}")


def tell_pictures(folder: Path, written: Sequence[Path]) -> None:
    """Pictures that were drawn, and where they all lie."""
    for path in written[:LISTED]:
        say(f"  {path}")
    if len(written) > LISTED:
        say(f"  … and {len(written) - LISTED} more")
    if any(folder.rglob("*.png")):
        say(f"{NAMES[folder.name]}: {folder}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _tell_abandoned(abandoned: dict[str, str]) -> None:
    for model, message in abandoned.items():
        say(f"{model} could not be loaded where the work runs: {message}")


NAMES = {"sheets": "contact sheets", "maps": "similarity maps"}
