"""Figures about parts of features and about several at once: neurons, cumulative, interaction."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from atlas.config.schema import RecipeConfig
from atlas.figures.figure_page import FigurePage, panel
from atlas.figures.stock import StockImage
from atlas.figures.studio import Studio
from atlas.records import Layer, ModelCard
from atlas.report.page.panels import Row, draw_panels
from atlas.report.page.paper import render

POSITIONS = (0.1, 0.5, 0.9)  # of neurons along each side of a map
STILLS = 8  # moments of an animation that stand on the page
FRAME_DPI = 160  # dots per inch of a frame
PAIRS = 3  # of features, where none are named


def neurons(studio: Studio) -> Iterator[FigurePage]:
    """Single neurons of two features, at nine positions of their maps."""
    card, layer = studio.card, studio.layer(studio.card)
    channels = studio.channels(card, layer)[:2]
    down, across = (sorted({int(part * side) for part in POSITIONS}) for side in (layer.height, layer.width))
    recipe = _one_size(studio, card)
    whole = studio.images(card, layer, channels, recipe=recipe)
    target = {"kind": "neuron", "row": down, "col": across}
    single = studio.images(card, layer, channels, recipe=recipe, target=target)
    labels = [f"[{row}, {col}]" for row, col in product(down, across)]
    rows = []
    for feature in whole:
        own = [image for image in single if image.channel == feature.channel]
        panels = [panel(image, label) for image, label in zip(own, labels, strict=True)]
        rows.append(Row(f"{layer.name}:{feature.channel}", [panel(feature, "all"), *panels]))
    title = f"{card.name} / {layer.name}: single neurons"
    note = f"[row, column] of the {layer.height} × {layer.width} activation map; the same noise, feature by feature."
    figure = draw_panels(rows, heading=studio.heading(title, f"{studio.subtitle()}, one size"), note=note, panel=0.9)
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def cumulative(studio: Studio) -> Iterator[FigurePage]:
    """The neurons of a feature added in reading order, as an animation, and some of its moments on a page."""
    card, layer = studio.card, studio.layer(studio.card)
    total, channels = layer.height * layer.width, studio.channels(card, layer)[:1]
    counts = np.unique(np.linspace(1, total, min(studio.config.frames, total)).round().astype(int)).tolist()
    recipe = _one_size(studio, card)
    target = {"kind": "cumulative", "count": counts}
    images = studio.images(card, layer, channels, recipe=recipe, target=target)
    title = f"{card.name} / {layer.name}:{channels[0]}: neurons added in reading order"
    subtitle = f"of {total} ({layer.height} × {layer.width}); {studio.subtitle()}, one size"
    labels = [f"{count}" for count in counts]
    moments = np.unique(np.linspace(0, len(counts) - 1, min(STILLS, len(counts))).round().astype(int))
    note = "How many neurons are driven stands below each image; all begin as the same noise."
    still = [Row("", [panel(images[moment], labels[moment]) for moment in moments])]
    frames = [
        render(
            draw_panels(
                [Row("", [panel(image, f"{label} of {total}")])],
                heading=studio.heading(f"{layer.name}:{channels[0]}"),
                panel=2.4,
            ),
            FRAME_DPI,
        )
        for image, label in zip(images, labels, strict=True)
    ]
    yield FigurePage(
        f"{card.name}-{layer.name}-{channels[0]}",
        title,
        draw_panels(still, heading=studio.heading(title, subtitle), note=note),
        frames,
    )


def interaction(studio: Studio) -> Iterator[FigurePage]:
    """Two features, and the image that drives both; they may be of two layers, in one forward pass."""
    card = studio.card
    first, second = _two_layers(studio, card)
    pairs = _pairs(studio, card, first=first, second=second)
    firsts = {image.channel: image for image in studio.images(card, first, sorted({a for a, _ in pairs}))}
    seconds = {image.channel: image for image in studio.images(card, second, sorted({b for _, b in pairs}))}
    rows = [
        Row(
            "",
            [
                panel(firsts[a], f"{first.name}:{a}"),
                panel(seconds[b], f"{second.name}:{b}"),
                panel(_both(studio, card, first, a, f"{card.name}/{second.name}:{b}"), "both"),
            ],
        )
        for a, b in pairs
    ]
    title = f"{card.name}: two features and both together"
    note = "Both: the sum of the two losses, in one forward pass."
    figure = draw_panels(rows, heading=studio.heading(title, studio.subtitle()), note=note, panel=1.6)
    yield FigurePage(f"{card.name}-{first.name}-{second.name}", title, figure)


def _both(studio: Studio, card: ModelCard, layer: Layer, channel: int, partner: str) -> StockImage:
    (image,) = studio.images(card, layer, [channel], target={"kind": "joint", "with": [partner]})
    return image


def _two_layers(studio: Studio, card: ModelCard) -> tuple[Layer, Layer]:
    """The two layers that were named, or else the one before that which figures show, and that one; the same if alone."""
    layers = studio.layers(card)
    if studio.config.layers != "default":
        return layers[0], layers[min(1, len(layers) - 1)]
    index = layers.index(studio.layer(card))
    return layers[max(0, index - 1)], layers[index]


def _pairs(studio: Studio, card: ModelCard, *, first: Layer, second: Layer) -> list[tuple[int, int]]:
    """Pairs of channels: two by two as they were named, or else the first ones of either layer."""
    if not studio.names_channels:
        return [(a, a + 1 if first == second else a) for a in range(min(PAIRS, first.channels - 1, second.channels))]
    named = studio.channels(card, first)
    return list(zip(named[::2], named[1::2], strict=False)) or [(named[0], named[0])]


def _one_size(studio: Studio, card: ModelCard) -> RecipeConfig:
    """The recipe with all its octaves at the model's input size, so that a place on the map stays where it is."""
    recipe = studio.config.recipe
    octaves = [replace(octave, size=card.input_size, shown=None) for octave in studio.octaves(card, recipe)]
    return replace(recipe, octaves=octaves)
