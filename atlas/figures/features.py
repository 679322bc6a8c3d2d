"""Figures that lay images of features side by side: layer-grid, models, raw-vs-octaves, metric-invariance."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.recipe_files import DEFAULT, OCTAVES, read_recipe
from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.figures.figure_page import FigurePage, panel
from atlas.figures.stock import StockImage
from atlas.figures.studio import Studio
from atlas.records import Layer, ModelCard
from atlas.report.page.panels import Panel, Row, draw_panels

DEPTHS = ((1 / 6, "early"), (1 / 2, "middle"), (5 / 6, "late"))  # parts of the way through a model's own layers
NOTE = "Each image was optimised from noise to drive one channel; its number, or the class it stands for, is below it."


def layer_grid(studio: Studio) -> Iterator[FigurePage]:
    """The first features of each layer, or of each layer of one zone. ConfigError: there is no such zone."""
    for card in studio.cards.values():
        layers = _in_zone(studio, card)
        images = studio.images_by_layer(card, layers)
        rows = [Row(f"{layer.name}\n{_size(layer)}", _panels(layer, images[layer.name])) for layer in layers]
        zone = studio.config.zone
        title = f"{card.name}: features of {f'zone {zone}' if zone else 'its layers'}"
        figure = draw_panels(rows, heading=studio.heading(title, studio.subtitle()), note=NOTE)
        yield FigurePage(f"{card.name}-{zone}" if zone else card.name, title, figure)


def models(studio: Studio) -> Iterator[FigurePage]:
    """Features of the same depths in several models. ConfigError: there is one model only."""
    if len(studio.cards) < 2:
        only = ", ".join(studio.cards)
        raise ConfigError(
            [f"model=[{only}]: figure models compares several; name two or more, as model=[googlenet,resnet50]"]
        )
    depths = DEPTHS if studio.config.layers == "default" else ((0.0, ""),)
    rows: dict[str, list[Row]] = {word: [] for _, word in depths}
    for card in studio.cards.values():
        layers = studio.layers(card)
        chosen = {word: layers[int(len(layers) * part)] for part, word in depths if layers}
        images = studio.images_by_layer(card, list({layer.name: layer for layer in chosen.values()}.values()))
        for word, layer in chosen.items():
            label = f"{card.name}\n{' '.join([word, layer.name]).strip()}"
            rows[word].append(Row(label, _panels(layer, images[layer.name])))
    title = f"The same depths in {', '.join(studio.cards)}"
    ordered = [row for depth in rows.values() for row in depth]
    figure = draw_panels(ordered, heading=studio.heading(title, studio.subtitle()), note=NOTE)
    yield FigurePage("-".join(studio.cards), title, figure)


def raw_vs_octaves(studio: Studio) -> Iterator[FigurePage]:
    """Descent alone beside octaves with blur, for some features of one layer; `normalized` stands for the default recipe.

    ConfigError: the recipe has no octaves.
    """
    octaves = read_recipe(OCTAVES) if studio.config.recipe.name == DEFAULT else studio.config.recipe
    if octaves.param != "pixels" or octaves.picture is not None:
        raise ConfigError(
            [f"recipe={octaves.name}: figure raw-vs-octaves takes a recipe of pixels that begin as noise"]
        )
    for card in studio.cards.values():
        layer = studio.layer(card)
        steps = studio.steps(card, octaves)
        raw = read_recipe("plain") if octaves.name == "octaves" else _without_priors(octaves, steps)
        channels = studio.channels(card, layer)
        rows = [
            Row(label, _panels(layer, studio.images(card, layer, channels, recipe=recipe)))
            for label, recipe in (
                ("descent alone\none size, no blur", raw),
                (f"octaves\nrecipe {octaves.name}", octaves),
            )
        ]
        title = f"{card.name} / {layer.name}: descent alone and octaves"
        subtitle = studio.subtitle(recipe=octaves.name)
        figure = draw_panels(rows, heading=studio.heading(title, subtitle), note="The same noise, channel by channel.")
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def metric_invariance(studio: Studio) -> Iterator[FigurePage]:
    """The same features under l1, l2 and l∞."""
    for card in studio.cards.values():
        layer = studio.layer(card)
        channels = studio.channels(card, layer)
        rows = [
            Row(
                f"{label}\nmetric {metric}",
                _panels(layer, studio.images(card, layer, channels, metrics=studio.metric(metric))),
            )
            for metric, label in (("l1", "L1"), ("l2", "L2"), ("linf", "L∞"))
        ]
        title = f"{card.name} / {layer.name}: one feature, three metrics"
        note = "The distance of a channel's activations from a large constant, made small; the same noise, channel by channel."
        figure = draw_panels(rows, heading=studio.heading(title, studio.subtitle(metric="l1, l2, linf")), note=note)
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def _panels(layer: Layer, images: Sequence[StockImage]) -> list[Panel]:
    """Images over their channels, or over the classes that these stand for."""
    return [panel(image, layer.classes[image.channel] if layer.classes else "") for image in images]


def _in_zone(studio: Studio, card: ModelCard) -> list[Layer]:
    layers, zone = studio.layers(card), studio.config.zone
    if zone is None:
        return layers
    members = [layer for layer in layers if layer.zone == zone]
    if not members:
        zones = dict.fromkeys(layer.zone for layer in layers if layer.zone)
        raise ConfigError([f"zone={zone}: {card.name} has no such zone; {nearest(zone, zones)}"])
    return members


def _without_priors(recipe: RecipeConfig, steps: int) -> RecipeConfig:
    """The recipe with as many steps and no priors: one octave of the first size, and no blur."""
    first, last = recipe.octaves[0], recipe.octaves[-1]
    plain = OctaveConfig(size=first.size, steps=steps, lr=[first.lr[0], last.lr[1]], sigma=None)
    return replace(recipe, name=f"{recipe.name}_alone", octaves=[plain])


def _size(layer: Layer) -> str:
    return f"{layer.channels} × {layer.height} × {layer.width}"
