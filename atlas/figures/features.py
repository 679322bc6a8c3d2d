"""Figures that lay images of features side by side: layer-grid, models, raw-vs-octaves, metric-invariance."""

from collections.abc import Iterator
from dataclasses import replace

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.figures.figure_page import FigurePage, panel
from atlas.figures.studio import Studio
from atlas.records import Layer, ModelCard
from atlas.report.page.panels import Row, draw_panels

DEPTHS = ((1 / 6, "early"), (1 / 2, "middle"), (5 / 6, "late"))  # parts of the way through a model's own layers
MADE = "Each image was optimised from noise to drive one channel; its number stands below it."


def layer_grid(studio: Studio) -> Iterator[FigurePage]:
    """The first features of each layer, or of each layer of one zone."""
    for card in studio.cards.values():
        layers = _in_zone(studio, card)
        shown = studio.grid(card, layers)
        rows = [Row(f"{one.name}\n{_size(one)}", [panel(image) for image in shown[one.name]]) for one in layers]
        zone = studio.config.zone
        title = f"{card.name}: features of {f'zone {zone}' if zone else 'its layers'}"
        figure = draw_panels(rows, title=title, subtitle=studio.told(), note=MADE)
        yield FigurePage(f"{card.name}-{zone}" if zone else card.name, title, figure)


def models(studio: Studio) -> Iterator[FigurePage]:
    """The same depth in several models."""
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
        shown = studio.grid(card, list({layer.name: layer for layer in chosen.values()}.values()))
        for word, layer in chosen.items():
            label = f"{card.name}\n{' '.join([word, layer.name]).strip()}"
            rows[word].append(Row(label, [panel(one) for one in shown[layer.name]]))
    title = f"The same depths in {', '.join(studio.cards)}"
    every = [row for some in rows.values() for row in some]
    figure = draw_panels(every, title=title, subtitle=studio.told(), note=MADE)
    yield FigurePage("-".join(studio.cards), title, figure)


def raw_vs_octaves(studio: Studio) -> Iterator[FigurePage]:
    """Descent alone beside octaves with blur, for some features of one layer."""
    asked = studio.config.recipe
    if asked.param != "pixels" or asked.picture is not None:
        raise ConfigError([f"recipe={asked.name}: figure raw-vs-octaves takes a recipe of pixels that begin as noise"])
    for card in studio.cards.values():
        layer = studio.layer(card)
        raw = read_recipe("plain") if asked.name == "octaves" else _alone(asked, studio.steps(card, asked))
        channels = studio.channels(layer)
        rows = [
            Row(label, [panel(one) for one in studio.shown(card, layer, channels, recipe=recipe)])
            for label, recipe in (("descent alone\none size, no blur", raw), (f"octaves\nrecipe {asked.name}", asked))
        ]
        title = f"{card.name} / {layer.name}: descent alone and octaves"
        figure = draw_panels(rows, title=title, subtitle=studio.told(), note="The same noise, channel by channel.")
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def metric_invariance(studio: Studio) -> Iterator[FigurePage]:
    """The same features under l1, l2 and l∞."""
    for card in studio.cards.values():
        layer = studio.layer(card)
        channels = studio.channels(layer)
        rows = [
            Row(
                f"{label}\nmetric {metric}",
                [panel(one) for one in studio.shown(card, layer, channels, metrics=studio.metric(metric))],
            )
            for metric, label in (("l1", "L1"), ("l2", "L2"), ("linf", "L∞"))
        ]
        title = f"{card.name} / {layer.name}: one feature, three metrics"
        note = "The distance of a channel's activations from a large constant, made small; the same noise, channel by channel."
        figure = draw_panels(rows, title=title, subtitle=studio.told(metric="l1, l2, linf"), note=note)
        yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def _in_zone(studio: Studio, card: ModelCard) -> list[Layer]:
    layers, zone = studio.layers(card), studio.config.zone
    if zone is None:
        return layers
    found = [layer for layer in layers if layer.zone == zone]
    if not found:
        zones = dict.fromkeys(layer.zone for layer in layers if layer.zone)
        raise ConfigError([f"zone={zone}: {card.name} has no such zone; {nearest(zone, zones)}"])
    return found


def _alone(recipe: RecipeConfig, steps: int) -> RecipeConfig:
    """As many steps without priors: at the first size, and no blur."""
    first, last = recipe.octaves[0], recipe.octaves[-1]
    plain = OctaveConfig(size=first.size, steps=steps, lr=[first.lr[0], last.lr[1]], sigma=None)
    return replace(recipe, name=f"{recipe.name}_alone", octaves=[plain])


def _size(layer: Layer) -> str:
    return f"{layer.channels} × {layer.height} × {layer.width}"
