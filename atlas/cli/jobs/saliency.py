"""`atlas saliency`: which pixels of a picture matter; a table of the maps on stdout, what went wrong on stderr."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from atlas.cli.job_format import print_rows
from atlas.cli.messages import say, say_each
from atlas.config.schema import SaliencyConfig
from atlas.engine.signals import leaving_at_once
from atlas.report.page.paper import Heading, save_figure
from atlas.report.page.saliency_panel import MethodMap, draw_saliency
from atlas.saliency.job import SaliencyOutcome, saliency_job
from atlas.saliency.look import PictureMap
from atlas.saliency.saliency_files import MapRow

COLUMNS = pa.schema(
    {
        "image": pa.string(),
        "model": pa.string(),
        "category": pa.int64(),
        "label": pa.string(),
        "score": pa.float32(),
        "predicted": pa.bool_(),
        "probability": pa.float32(),
        "method": pa.string(),
        "map": pa.string(),
        "overlay": pa.string(),
        "panel": pa.string(),
    }
)


def saliency_body(config: SaliencyConfig, overrides: list[str], mistakes: list[str]) -> SaliencyOutcome:
    """Show which pixels of a picture matter to a class."""
    with leaving_at_once():
        outcome = saliency_job(config, mistakes, draw_panel)
    print_rows(pa.Table.from_pylist([asdict(row) for row in outcome.rows], schema=COLUMNS))
    say_each("note", outcome.notes)
    say_each("failed", outcome.failures)
    if outcome.stopped:
        say(outcome.stopped)
    return outcome


def draw_panel(rows: list[MapRow], maps: list[PictureMap]) -> None:
    """Write a picture's maps by all methods as one figure, with its class and probability."""
    row = rows[0]
    title = f"{row.label or f'class {row.category}'}, {percent(row.probability)}"
    rank = "predicted" if row.predicted else "not the predicted class"
    subtitle = f"{row.image}: {row.model}, class {row.category}, {rank}, logit {row.score:.2f}"
    methods = [MethodMap(picture_map.method, picture_map.map) for picture_map in maps]
    figure = draw_saliency(maps[0].pixels, methods, heading=Heading(title, subtitle))
    save_figure(figure, Path(row.panel), title=f"{subtitle}: {title}")


def percent(probability: float) -> str:
    """`93 %`, `0.4 %`, `below 0.1 %`."""
    if probability < 0.001:
        return "below 0.1 %"
    return f"{probability:.1%}".replace("%", " %") if probability < 0.01 else f"{probability:.0%}".replace("%", " %")
