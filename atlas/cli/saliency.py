"""The end of `atlas saliency`: a table of the maps on stdout, what went wrong on stderr, and the exit code."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from atlas.cli import DONE, SOME_FAILED
from atlas.cli.telling import tell_each

if TYPE_CHECKING:
    from atlas.config.schema import SaliencyConfig
    from atlas.saliency.job import Outcome


def saliency_body(config: "SaliencyConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas saliency`: make the maps and tell of them; a signal leaves no half file."""
    from atlas.run.signals import leaving_at_once
    from atlas.saliency.job import saliency_job

    with leaving_at_once():
        outcome = saliency_job(config, mistakes)
    _print_rows(outcome)
    tell_each("note", outcome.flat)
    tell_each("failed", outcome.failures)
    return SOME_FAILED if outcome.failures else DONE


def _print_rows(outcome: "Outcome") -> None:
    import pyarrow as pa

    from atlas.cli.tables import print_table

    types = {"category": pa.int64(), "score": pa.float32(), "probability": pa.float32(), "predicted": pa.bool_()}
    names = ("image", "model", "category", "label", "score", "predicted", "probability", "map", "overlay")
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    print_table(pa.Table.from_pylist([asdict(row) for row in outcome.rows], schema=schema), "table")
