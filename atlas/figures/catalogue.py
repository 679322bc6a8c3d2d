"""Every figure by its name."""

from collections.abc import Callable, Iterator
from pathlib import Path

from atlas.config.mistakes import nearest
from atlas.config.schema import FigureConfig
from atlas.figures.drawn import Drawn, write_drawn
from atlas.figures.features import layer_grid, metric_invariance, models, raw_vs_octaves
from atlas.figures.neurons import cumulative, interaction, neurons
from atlas.figures.pictures import dream, filter_vs_dream, saliency
from atlas.figures.relations import similarity, trajectory
from atlas.figures.studio import Studio

FIGURES: dict[str, Callable[[Studio], Iterator[Drawn]]] = {
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


def make_figure(config: FigureConfig, mistakes: list[str]) -> Iterator[Path]:
    """Make one figure; the files it comes to, as they are written. ConfigError before any work; Stopped, resumable."""
    wrong = list(mistakes)
    if config.figure not in FIGURES:
        wrong.append(f"figure {config.figure}: no such figure; {nearest(config.figure, FIGURES)}")
    for key, least in (("features", 1), ("frames", 2)):
        if getattr(config, key) < least:
            wrong.append(f"{key}={getattr(config, key)}: a whole number from {least} up is wanted")
    studio = Studio(config, wrong)
    for drawn in FIGURES[config.figure](studio):
        yield from write_drawn(studio.folder, config.figure, drawn)
