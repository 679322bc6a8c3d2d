"""`atlas dream`: DeepDreams and their animations; a table of them on stdout, what went wrong on stderr."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
from PIL.Image import Image

from atlas.cli.job_format import print_rows
from atlas.cli.messages import say, say_each
from atlas.config.schema import DreamConfig
from atlas.dream.job import DreamOutcome, DreamRow, dream_job
from atlas.engine.signals import leaving_at_once, stop_requests
from atlas.report.page.animation import write_animation

FRAME_SECONDS, MOST_SECONDS = 0.4, 10.0  # of one frame of an animation, and of all of them
COLUMNS = pa.schema(
    {
        "image": pa.string(),
        "model": pa.string(),
        "layer": pa.string(),
        "channel": pa.int64(),
        "name": pa.string(),
        "metric": pa.string(),
        "recipe": pa.string(),
        "steps": pa.int64(),
        "score_start": pa.float32(),
        "score": pa.float32(),
        "change": pa.float32(),
        "dream": pa.string(),
        "frames": pa.int64(),
    }
)


def dream_body(config: DreamConfig, overrides: list[str], mistakes: list[str]) -> DreamOutcome:
    """Change a picture until it drives a channel: DeepDream, with its frames."""
    with leaving_at_once():
        outcome = dream_job(config, mistakes, animate, stop_requests)
    print_rows(pa.Table.from_pylist([asdict(row) for row in outcome.rows], schema=COLUMNS))
    say_each("note", outcome.notes)
    say_each("failed", outcome.failures)
    if outcome.stopped:
        say(outcome.stopped)
    return outcome


def animate(row: DreamRow, pictures: list[Image]) -> None:
    """Write a dream's frames as an animation beside its picture, and print the picture's path to stderr."""
    path = Path(row.dream).with_suffix(".webp")
    title = f"{row.image}: {row.model}/{row.layer}:{row.channel}, {row.metric}, recipe {row.recipe}"
    write_animation(path, pictures, seconds=min(FRAME_SECONDS * len(pictures), MOST_SECONDS), title=title)
    say(f"  {row.dream}")
