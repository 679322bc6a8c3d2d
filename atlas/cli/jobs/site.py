"""`atlas site`: the pages of an atlas; the last line on stderr is the page to open."""

from dataclasses import dataclass
from time import monotonic

from atlas.cli.messages import counted, say, say_each
from atlas.cli.which_atlas import NAMING, with_atlas
from atlas.config.schema import SweepConfig
from atlas.engine.outcome import Outcome
from atlas.engine.signals import leaving_at_once
from atlas.query.shell import sentence
from atlas.report.site.write import SiteSummary, write_site
from atlas.store.paths import AtlasPaths
from atlas.store.writing import Writing

LINE_EVERY = 5.0  # seconds between two lines on how far the site is


@dataclass
class SiteOutcome(Outcome):
    """What `atlas site` came to; None: nothing was to be written."""

    summary: SiteSummary | None = None


def site_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> SiteOutcome:
    """Write the atlas as pages that a browser opens."""
    keys = (*NAMING, "dry_run=")
    others = [override for override in overrides if not override.lstrip("+~").startswith(keys)]
    refused = [
        f"{word}: a site shows all of an atlas; its keys are {', '.join(NAMING)} and dry_run=" for word in others
    ]
    config = with_atlas(config, overrides, [*mistakes, *refused])
    if not config.dry_run:
        return write_pages(config)
    say(f"would bring {config.out}/site up to date. Nothing was written.")
    return SiteOutcome()


def write_pages(config: SweepConfig) -> SiteOutcome:
    """Bring the site up to date."""
    paths = AtlasPaths(config.out)
    with leaving_at_once(), Writing(paths):
        summary = write_site(paths, SiteProgress())
    _say_summary(summary)
    return SiteOutcome(summary)


def _say_summary(summary: SiteSummary) -> None:
    say_each("note", [sentence(note) for note in summary.notes])
    removed = f", {summary.removed:,} removed" if summary.removed else ""
    say(f"site: {counted(summary.written, 'file')} written, {summary.kept:,} up to date{removed}; open")
    say(str(summary.index))


class SiteProgress:
    """Print a line on how far a site is, once every LINE_EVERY seconds."""

    def __init__(self) -> None:
        self._last = monotonic()

    def __call__(self, layer: str, number: int, total: int) -> None:
        if monotonic() - self._last > LINE_EVERY:
            self._last = monotonic()
            say(f"site: layer {number} of {total}, {layer}")
