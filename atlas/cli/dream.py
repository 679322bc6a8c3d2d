"""The end of `atlas dream`: the animations, a table of the dreams on stdout, what went wrong on stderr, the exit code."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.cli import DONE, SOME_FAILED
from atlas.cli.telling import say, tell_each

if TYPE_CHECKING:
    from PIL.Image import Image

    from atlas.config.schema import DreamConfig
    from atlas.dream.job import DreamRow, Outcome

SECONDS, LONGEST = 0.4, 10.0  # of one frame of an animation, and of all of them


def dream_body(config: "DreamConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas dream`: make the dreams and tell of them; a signal leaves no half file."""
    from atlas.dream.job import dream_job
    from atlas.run.signals import leaving_at_once

    with leaving_at_once():
        outcome = dream_job(config, mistakes, animate)
    _print_rows(outcome)
    tell_each("note", outcome.notes)
    tell_each("failed", outcome.failures)
    return SOME_FAILED if outcome.failures else DONE


def animate(row: "DreamRow", pictures: list["Image"]) -> None:
    """A dream as it came to be, beside its picture."""
    from atlas.report.page.animation import write_animation

    path = Path(row.dream).with_suffix(".webp")
    title = f"{row.image}: {row.model}/{row.layer}:{row.channel}, {row.metric}, recipe {row.recipe}"
    write_animation(path, pictures, seconds=min(SECONDS * len(pictures), LONGEST), title=title)
    say(f"  {row.dream}")


def _print_rows(outcome: "Outcome") -> None:
    import pyarrow as pa

    from atlas.cli.tables import print_table

    numbers = dict.fromkeys(("channel", "steps", "frames"), pa.int64())
    types = {**numbers, **dict.fromkeys(("score_start", "score", "change"), pa.float32())}
    names = ("image", "model", "layer", "channel", "metric", "recipe", "steps", "score_start", "score", "change")
    schema = pa.schema([(name, types.get(name, pa.string())) for name in (*names, "dream", "frames")])
    print_table(pa.Table.from_pylist([asdict(row) for row in outcome.rows], schema=schema), "table")
