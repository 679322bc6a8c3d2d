"""Figures about a layer as a whole: trajectory, similarity."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from atlas.config.schema import SimilarityConfig
from atlas.figures.drawn import Drawn
from atlas.figures.studio import Stopped, Studio
from atlas.records import Layer, ModelCard
from atlas.report.similarity_map import draw_similarity
from atlas.report.trajectory import draw_trajectory, trajectory_frames
from atlas.run.similarity import similarity as compare
from atlas.store.paths import AtlasPaths

MEASURE = "sym"  # the default within a layer
LEGEND = "mean z-score of each feature on the other's image, in standard deviations"


def trajectory(studio: Studio) -> Iterator[Drawn]:
    """The mean activation of every feature of the layer while one is driven."""
    card, layer = studio.card, studio.layer(studio.card)
    recipe = studio.fitted(card, studio.config.recipe)
    every = max(1, sum(octave.steps or 0 for octave in recipe.octaves) // studio.config.frames)
    recipe = replace(studio.config.recipe, trace_every=every)
    for channel in studio.channels(layer)[: 1 if studio.config.channels == "all" else None]:
        (shown,) = studio.shown(card, layer, [channel], recipe=recipe, trace="full")
        if shown.status != "ok":
            raise Stopped(f"{card.name}/{layer.name}:{channel} is {shown.status}: there is no way to draw")
        steps, means = studio.along(shown)
        title = f"{card.name} / {layer.name}: every feature while {channel} is driven"
        said = {"channel": channel, "title": title, "subtitle": f"recipe {recipe.name}", "name": layer.name}
        frames = trajectory_frames(steps, means, **said)
        yield Drawn(f"{card.name}-{layer.name}-{channel}", title, draw_trajectory(steps, means, **said), frames)


def similarity(studio: Studio) -> Iterator[Drawn]:
    """The similarity of all features of a layer, in clustered order, with their images."""
    for card in studio.cards.values():
        layer = studio.layer(card)
        place = _compared(studio, card, layer).map(card.name, layer.name, MEASURE)
        matrix = np.load(place.with_name(f"{place.name}.npy"))
        order = [int(channel) for channel in np.load(place.with_name(f"{place.name}.order.npy"))]
        shown = {one.channel: one.image for one in studio.shown(card, layer, sorted(order))}
        title = f"{card.name} / {layer.name}: which features answer alike"
        subtitle = f"{len(order)} features in clustered order"
        images = [shown.get(channel) for channel in order]
        figure = draw_similarity(matrix, images, title=title, subtitle=subtitle, legend=LEGEND)
        yield Drawn(f"{card.name}-{layer.name}", title, figure)


def _compared(studio: Studio, card: ModelCard, layer: Layer) -> AtlasPaths:
    """The atlas that has the layer's map; where none has, one that holds the whole layer, once it is compared."""
    for paths in (studio.atlas, studio.made):
        place = paths.map(card.name, layer.name, MEASURE)
        if place.with_name(f"{place.name}.npy").exists():
            return paths
    paths = studio.whole(card, layer, list(range(layer.channels)))
    asked = SimilarityConfig(measures=[MEASURE], scopes=["layer"], layout=False)
    outcome = compare(replace(studio.config, out=str(paths.root), similarity=asked), studio.cards, [])
    place = paths.map(card.name, layer.name, MEASURE)
    if outcome.stopped or not place.with_name(f"{place.name}.npy").exists():
        why = outcome.stopped or f"{layer.name} has fewer than two features that can be compared"
        raise Stopped(f"no similarity of {card.name}/{layer.name}: {why}")
    return paths
