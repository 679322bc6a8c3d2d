"""Every figure by its name; a config in, files out."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from atlas.config.choices import FORMATS
from atlas.config.mistakes import nearest
from atlas.config.recipe_files import DEFAULT
from atlas.config.rules import at_least, distinct, several
from atlas.config.schema import FigureConfig
from atlas.figures.features import layer_grid, metric_invariance, models, raw_vs_octaves
from atlas.figures.figure_page import FigurePage, write_page
from atlas.figures.neurons import cumulative, interaction, neurons
from atlas.figures.photographs import dream, filter_vs_dream, saliency
from atlas.figures.relations import similarity, trajectory
from atlas.figures.studio import Studio

FIGURES: dict[str, Callable[[Studio], Iterator[FigurePage]]] = {
    "layer-grid": layer_grid,
    "raw-vs-octaves": raw_vs_octaves,
    "metric-invariance": metric_invariance,
    "cumulative": cumulative,
    "neurons": neurons,
    "interaction": interaction,
    "trajectory": trajectory,
    "saliency": saliency,
    "dream": dream,
    "filter-vs-dream": filter_vs_dream,
    "similarity": similarity,
    "models": models,
}
# figures that take several models
SEVERAL = {"layer-grid", "models", "raw-vs-octaves", "metric-invariance", "saliency", "similarity"}
LONGEST_SUFFIX = 60  # characters of a file's name that name unusual choices


def make_figure(config: FigureConfig, mistakes: list[str], failures: list[str]) -> Iterator[Path]:
    """Make one figure and yield its files as they are written; features that could not be made are added to `failures`.

    ConfigError: all mistakes at once. Unfinished: it was stopped, and running it again resumes. NothingToShow.
    """
    studio = Studio(config, [*mistakes, *figure_mistakes(config)])
    for page in FIGURES[config.figure](studio):
        yield from write_page(studio.folder, config.figure, page, _suffix(config), distinct(config.format))
    failures += dict.fromkeys(studio.failures)


def _suffix(config: FigureConfig) -> str:
    """What a file's name says beside the subject: all choices that are not the defaults."""
    parts = [config.recipe.name] if config.recipe.name != DEFAULT else []
    parts += [metric for metric in config.metrics if metric != "l1"]
    by_layer = isinstance(config.layers, Mapping)
    channels = list(config.layers.values()) if by_layer else config.channels
    parts += [] if channels == "all" else ["c" + re.sub(r"\W+", "_", str(channels)).strip("_")]
    weights = {os.path.basename(model.weights) for model in config.models.values()} - {"default"}
    return "-".join([*parts, *sorted(weights)])[:LONGEST_SUFFIX]


def figure_mistakes(config: FigureConfig) -> Iterator[str]:
    """Yield what no figure can show, or not this one."""
    name = config.figure
    if name not in FIGURES:
        yield f"figure {name}: no such figure; {nearest(name, FIGURES)}"
    for key, least in (("features", 1), ("frames", 2), ("size", 8)):
        yield from at_least(key, getattr(config, key), least)
    yield from several("format", config.format, FORMATS)
    reason = "a figure shows one image of each feature; name one"
    if len(config.seeds) > 1:
        yield f"seeds={config.seeds}: {reason}"
    if len(config.metrics) > 1 and name != "metric-invariance":
        yield f"metric=[{','.join(config.metrics)}]: {reason}"
    if config.target.get("kind", "channel") != "channel":
        yield f"target={config.target['kind']}: figures choose their targets themselves; leave it channel"
    if len(config.models) > 1 and name not in SEVERAL:
        yield f"model=[{','.join(config.models)}]: figure {name} shows one model; name one"
    if config.dry_run:
        yield "dry_run=true: a figure is made or not; atlas generate dry_run=true tells what a sweep would cost"
