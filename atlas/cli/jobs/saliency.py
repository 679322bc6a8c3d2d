"""`atlas saliency`: which pixels of a picture matter; a table of the maps on stdout, what went wrong on stderr."""

from dataclasses import asdict

import pyarrow as pa

from atlas.cli import DONE, SOME_FAILED
from atlas.cli.messages import say_each
from atlas.cli.tables import print_table
from atlas.config.schema import SaliencyConfig
from atlas.run.signals import leaving_at_once
from atlas.saliency.job import saliency_job

COLUMNS = pa.schema(
    {
        "image": pa.string(),
        "model": pa.string(),
        "category": pa.int64(),
        "label": pa.string(),
        "score": pa.float32(),
        "predicted": pa.bool_(),
        "probability": pa.float32(),
        "map": pa.string(),
        "overlay": pa.string(),
    }
)


def saliency_body(config: SaliencyConfig, overrides: list[str], mistakes: list[str]) -> int:
    """Show which pixels of a picture matter to a class."""
    with leaving_at_once():
        outcome = saliency_job(config, mistakes)
    print_table(pa.Table.from_pylist([asdict(row) for row in outcome.rows], schema=COLUMNS), "table")
    say_each("note", outcome.flat)
    say_each("failed", outcome.failures)
    return SOME_FAILED if outcome.failures else DONE
