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
from atlas.report.page.panels import Row, draw_panels, render

PLACES = (0.1, 0.5, 0.9)  # of neurons along each side of a map
STILL = 8  # moments of what moves, on the page
FRAME = 160  # dots per inch of a frame
PAIRS = 3  # of features, where none are named


def neurons(studio: Studio) -> Iterator[FigurePage]:
    """Single neurons of two features, at nine places of their maps."""
    card, layer = studio.card, studio.layer(studio.card)
    channels = studio.channels(layer)[:2]
    down, across = (sorted({int(part * side) for part in PLACES}) for side in (layer.height, layer.width))
    recipe = _one_size(studio, card)
    whole = studio.shown(card, layer, channels, recipe=recipe)
    target = {"kind": "neuron", "row": down, "col": across}
    single = studio.shown(card, layer, channels, recipe=recipe, target=target)
    places = [f"[{row}, {col}]" for row, col in product(down, across)]
    rows = [
        Row(
            f"{layer.name}:{one.channel}",
            [
                panel(one, "all"),
                *(
                    panel(image, where)
                    for image, where in zip([i for i in single if i.channel == one.channel], places, strict=True)
                ),
            ],
        )
        for one in whole
    ]
    title = f"{card.name} / {layer.name}: single neurons"
    note = f"[row, column] of the {layer.height} × {layer.width} activation map; the same noise, feature by feature."
    figure = draw_panels(rows, title=title, subtitle=f"{studio.told()}, one size", note=note, panel=0.9)
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def cumulative(studio: Studio) -> Iterator[FigurePage]:
    """The neurons of a feature added in reading order, as an animation, and some of its moments on a page."""
    card, layer = studio.card, studio.layer(studio.card)
    total, channels = layer.height * layer.width, studio.channels(layer)[:1]
    counts = np.unique(np.linspace(1, total, min(studio.config.frames, total)).round().astype(int)).tolist()
    recipe = _one_size(studio, card)
    target = {"kind": "cumulative", "count": counts}
    shown = studio.shown(card, layer, channels, recipe=recipe, target=target)
    title = f"{card.name} / {layer.name}:{channels[0]}: neurons added in reading order"
    subtitle = f"of {total} ({layer.height} × {layer.width}); {studio.told()}, one size"
    labels = [f"{count}" for count in counts]
    moments = np.unique(np.linspace(0, len(counts) - 1, min(STILL, len(counts))).round().astype(int))
    note = "How many neurons are driven stands below each image; all begin as the same noise."
    still = [Row("", [panel(shown[k], labels[k]) for k in moments])]
    frames = [
        render(
            draw_panels([Row("", [panel(one, f"{label} of {total}")])], title=f"{layer.name}:{channels[0]}", panel=2.4),
            FRAME,
        )
        for one, label in zip(shown, labels, strict=True)
    ]
    yield FigurePage(
        f"{card.name}-{layer.name}-{channels[0]}",
        title,
        draw_panels(still, title=title, subtitle=subtitle, note=note),
        frames,
    )


def interaction(studio: Studio) -> Iterator[FigurePage]:
    """Two features, and the image that drives both: of two layers in one forward pass."""
    card = studio.card
    first, second = _two_layers(studio, card)
    pairs = _pairs(studio, first, second)
    ones = {one.channel: one for one in studio.shown(card, first, sorted({a for a, _ in pairs}))}
    twos = {one.channel: one for one in studio.shown(card, second, sorted({b for _, b in pairs}))}
    rows = [
        Row(
            "",
            [
                panel(ones[a], f"{first.name}:{a}"),
                panel(twos[b], f"{second.name}:{b}"),
                panel(_both(studio, card, first, a, f"{card.name}/{second.name}:{b}"), "both"),
            ],
        )
        for a, b in pairs
    ]
    title = f"{card.name}: two features and both together"
    note = "Both: the sum of the two losses, in one forward pass."
    figure = draw_panels(rows, title=title, subtitle=studio.told(), note=note, panel=1.6)
    yield FigurePage(f"{card.name}-{first.name}-{second.name}", title, figure)


def _both(studio: Studio, card: ModelCard, layer: Layer, channel: int, partner: str) -> StockImage:
    (shown,) = studio.shown(card, layer, [channel], target={"kind": "joint", "with": [partner]})
    return shown


def _two_layers(studio: Studio, card: ModelCard) -> tuple[Layer, Layer]:
    """The two that were named; else the one that figures show, and the next one: both the same where there is one only."""
    layers = studio.layers(card)
    if studio.config.layers != "default":
        return layers[0], layers[min(1, len(layers) - 1)]
    place = layers.index(studio.layer(card))
    return layers[max(0, place - 1)], layers[place]


def _pairs(studio: Studio, first: Layer, second: Layer) -> list[tuple[int, int]]:
    """Channels two by two as they were named, or else the first ones of either layer."""
    if studio.config.channels == "all":
        return [(k, k + 1 if first == second else k) for k in range(min(PAIRS, first.channels - 1, second.channels))]
    named = studio.channels(first)
    return list(zip(named[::2], named[1::2], strict=False)) or [(named[0], named[0])]


def _one_size(studio: Studio, card: ModelCard) -> RecipeConfig:
    """The recipe with all its octaves at the model's input size, so that a place on the map stays where it is."""
    recipe = studio.config.recipe
    octaves = [replace(octave, size=card.input_size, shown=None) for octave in studio.octaves(card, recipe)]
    return replace(recipe, octaves=octaves)
