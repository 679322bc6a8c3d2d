"""Figures about a layer as a whole: trajectory, similarity."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from atlas.config.mistakes import ConfigError
from atlas.config.schema import SimilarityConfig
from atlas.figures.figure_page import FigurePage
from atlas.figures.studio import NothingToShow, Studio, Unfinished
from atlas.query.atlas import Atlas
from atlas.query.shell import job
from atlas.query.view_files import quoted
from atlas.query.views import STANDS
from atlas.records import Layer, ModelCard
from atlas.report.page.similarity_map import draw_similarity
from atlas.report.page.trajectory import draw_trajectory, trajectory_frames
from atlas.similarity.job import similarity as compare
from atlas.store.images import read_picture
from atlas.store.paths import AtlasPaths

MEASURE = "sym"  # the default within a layer
LEGEND = "mean z-score of each feature on the other's image, in standard deviations"


def trajectory(studio: Studio) -> Iterator[FigurePage]:
    """The mean activation of every feature of the layer while one is driven."""
    card, layer = studio.card, studio.layer(studio.card)
    steps = studio.steps(card, studio.config.recipe)
    recipe = replace(studio.config.recipe, trace_every=max(1, steps // studio.config.frames))
    for channel in studio.channels(layer)[: 1 if studio.config.channels == "all" else None]:
        steps, means = studio.along(card, layer, channel, recipe=recipe)
        title = f"{card.name} / {layer.name}: every feature while {channel} is driven"
        said = {"channel": channel, "title": title, "subtitle": studio.told(), "layer": layer.name}
        frames = trajectory_frames(steps, means, **said)
        yield FigurePage(f"{card.name}-{layer.name}-{channel}", title, draw_trajectory(steps, means, **said), frames)


def similarity(studio: Studio) -> Iterator[FigurePage]:
    """The similarity of all features of a layer, in clustered order, with their images."""
    for card in studio.cards.values():
        layer = studio.layer(card)
        paths = _compared(studio, card, layer)
        place = _map_of(paths, card, layer)
        matrix = np.load(place.with_name(f"{place.name}.npy"))
        order = [int(channel) for channel in np.load(place.with_name(f"{place.name}.order.npy"))]
        images = _standing(paths, card, layer)
        title = f"{card.name} / {layer.name}: which features answer alike"
        subtitle = f"{len(order)} features in clustered order; {studio.told()}"
        pictures = [read_picture(images[channel]) if channel in images else None for channel in order]
        figure = draw_similarity(matrix, pictures, title=title, subtitle=subtitle, legend=LEGEND)
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def _compared(studio: Studio, card: ModelCard, layer: Layer) -> AtlasPaths:
    """The atlas that is read, if it has the layer's map; else one of the layer alone, made and compared beside it.

    ConfigError when the atlas holds the layer without having compared it: nothing here may change that atlas.
    """
    if studio.holds(card, layer):
        if _has_map(studio.atlas, card, layer):
            return studio.atlas
        root = studio.atlas.root
        raise ConfigError(
            [f"out={root}: it holds {card.name}/{layer.name}, not compared; run {job('similarity', root)}"]
        )
    paths = studio.whole(card, layer)
    if not _has_map(paths, card, layer):
        asked = SimilarityConfig(measures=[MEASURE], scopes=["layer"], layout=False)
        outcome = compare(replace(studio.config, out=str(paths.root), similarity=asked), studio.cards, [])
        if outcome.stopped:
            raise Unfinished(outcome.stopped)
    if not _has_map(paths, card, layer):
        raise NothingToShow(f"{card.name}/{layer.name} has fewer than two features that can be compared")
    return paths


def _map_of(paths: AtlasPaths, card: ModelCard, layer: Layer) -> Path:
    return paths.map(card.name, layer.name, MEASURE)


def _has_map(paths: AtlasPaths, card: ModelCard, layer: Layer) -> bool:
    place = _map_of(paths, card, layer)
    return place.with_name(f"{place.name}.npy").exists()


def _standing(paths: AtlasPaths, card: ModelCard, layer: Layer) -> dict[int, Path]:
    """The image that stands for each channel in the atlas that was compared."""
    with Atlas(paths.root) as atlas:
        rows = atlas.sql(f"""
            SELECT channel, first(image ORDER BY {STANDS}) AS image FROM features
            WHERE model = {quoted(card.name)} AND layer = {quoted(layer.name)} AND status = 'ok' GROUP BY channel""")
        return {row["channel"]: atlas.path / row["image"] for row in rows.to_pylist()}
