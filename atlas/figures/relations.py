"""Figures about a layer as a whole: trajectory, similarity."""

from collections.abc import Iterator
from dataclasses import replace

from atlas.config.mistakes import ConfigError
from atlas.config.schema import SimilarityConfig
from atlas.figures.figure_page import FigurePage
from atlas.figures.studio import NothingToShow, Studio, Unfinished
from atlas.query.atlas import Atlas
from atlas.query.shell import job
from atlas.query.view_files import quoted
from atlas.records import Layer, ModelCard
from atlas.report.page.layer_map import LayerMap, read_map, representatives
from atlas.report.page.map_files import LEGENDS
from atlas.report.page.matrix import draw_matrix
from atlas.report.page.paper import PRINT
from atlas.report.page.trajectory import draw_trajectory, trajectory_frames
from atlas.similarity.job import similarity as compare
from atlas.store.paths import AtlasPaths

MEASURE = "sym"  # the default within a layer
SIDE = 1200  # dots of the matrix, at most: 6 inches


def trajectory(studio: Studio) -> Iterator[FigurePage]:
    """The mean activation of every feature of the layer while one is driven."""
    card, layer = studio.card, studio.layer(studio.card)
    steps = studio.steps(card, studio.config.recipe)
    recipe = replace(studio.config.recipe, trace_every=max(1, steps // studio.config.frames))
    for channel in studio.channels(card, layer)[: None if studio.names_channels else 1]:
        steps, means = studio.trajectory(card, layer, channel, recipe=recipe)
        title = f"{card.name} / {layer.name}: every feature while {channel} is driven"
        words = {"channel": channel, "heading": studio.heading(title, studio.subtitle()), "layer": layer.name}
        frames = trajectory_frames(steps, means, **words)
        yield FigurePage(f"{card.name}-{layer.name}-{channel}", title, draw_trajectory(steps, means, **words), frames)


def similarity(studio: Studio) -> Iterator[FigurePage]:
    """The similarity of all features of a layer, in clustered order, with their images."""
    for card in studio.cards.values():
        layer = studio.layer(card)
        paths = _compared(studio, card, layer)
        layer_map = _map_of(paths, card, layer)
        title = f"{card.name} / {layer.name}: which features answer alike"
        subtitle = f"{len(layer_map.channels)} features in clustered order; {studio.subtitle()}"
        figure = draw_matrix(
            layer_map, heading=studio.heading(title, subtitle), legend=LEGENDS[MEASURE], side=SIDE, theme=PRINT
        )
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def _compared(studio: Studio, card: ModelCard, layer: Layer) -> AtlasPaths:
    """The atlas that is read, if it has the layer's map; or else one of the layer alone, made and compared beside it.

    ConfigError: the atlas holds the layer and has not compared it, and a figure may not change that atlas.
    Unfinished: the comparison was stopped. NothingToShow: fewer than two features can be compared.
    """
    if studio.holds(card, layer):
        if _has_map(studio.atlas, card, layer):
            return studio.atlas
        root = studio.atlas.root
        raise ConfigError(
            [f"out={root}: it holds {card.name}/{layer.name}, not compared; run {job('similarity', root)}"]
        )
    paths = studio.layer_atlas(card, layer)
    if not _has_map(paths, card, layer):
        settings = SimilarityConfig(measures=[MEASURE], scopes=["layer"], layout=False)
        outcome = compare(replace(studio.config, out=str(paths.root), similarity=settings), studio.cards, [])
        if outcome.stopped:
            raise Unfinished(outcome.stopped)
    if not _has_map(paths, card, layer):
        raise NothingToShow(f"{card.name}/{layer.name} has fewer than two features that can be compared")
    return paths


def _has_map(paths: AtlasPaths, card: ModelCard, layer: Layer) -> bool:
    stem = paths.map(card.name, layer.name, MEASURE)
    return stem.with_name(f"{stem.name}.npy").exists()


def _map_of(paths: AtlasPaths, card: ModelCard, layer: Layer) -> LayerMap:
    """The layer's map in the atlas that was compared. NothingToShow: the comparison was stopped while it wrote."""
    with Atlas(paths.root) as atlas:
        rows = atlas.sql(f"""
            FROM clusters WHERE model = {quoted(card.name)} AND layer = {quoted(layer.name)}
            AND measure = {quoted(MEASURE)} AND probe = 'atlas' ORDER BY place""").to_pylist()
        layer_map = read_map(paths, rows, representatives(atlas)) if rows else None
    if layer_map is None:
        raise NothingToShow(f"{card.name}/{layer.name} was being compared when that was stopped; compare it again")
    return layer_map
