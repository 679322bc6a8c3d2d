"""Images for figures: read from an atlas where it holds them, or else made beside it by the same engine."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.config.checks import undivided, value_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.rooted import rooted_model
from atlas.config.schema import CONSTANT, FigureConfig, MetricConfig, OctaveConfig, RecipeConfig
from atlas.figures.stock import StockImage, activations, left_of, placeholders, stock_of, traced_tasks
from atlas.generate.job import generate
from atlas.generate.recipe_inputs import read_material
from atlas.generate.request import as_held
from atlas.records import Layer, ModelCard
from atlas.report.page.paper import Heading
from atlas.store.output import output_mistakes
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan, device_of, fitted_recipe, make_plan
from atlas.sweep.selection import read_selection
from atlas.sweep.shards import RATE
from atlas.zoo.card_reader import read_cards

LITTLE_WORK = 60.0  # seconds of one actor: for less, starting Ray would take too large a part of the time
DEPTH = 2 / 3  # of the way through a model, where features are neither edges nor whole objects


class Unfinished(Exception):
    """Somebody stopped a figure before all of its images were made; those that were made are kept."""


class NothingToShow(Exception):
    """A figure has nothing to show, and running it again would not change that."""


class Studio:
    """An atlas to read images from, and the one beside it in which missing images are made."""

    def __init__(self, config: FigureConfig, mistakes: list[str]) -> None:
        """Read the models. ConfigError: all mistakes, those of the command line first."""
        self.config = replace(config, models={name: rooted_model(model) for name, model in config.models.items()})
        self.failures: list[str] = []  # features whose image could not be made
        wrong = [*mistakes, *value_mistakes(config), *undivided(config.cluster), *output_mistakes(config.out)]
        self.cards, unreadable = ({}, []) if wrong else read_cards(self.config.models)
        wrong += unreadable
        if not wrong:
            collect(wrong, partial(make_plan, self.config, self.cards))
        if wrong:
            raise ConfigError(wrong)
        self.selection = read_selection(self.config, self.cards)
        self.atlas = AtlasPaths(config.out)
        self.folder = self.atlas.root / "figures"
        self.beside = AtlasPaths(self.folder / "made")

    @property
    def card(self) -> ModelCard:
        """The one model that a figure shows, or the first."""
        return next(iter(self.cards.values()))

    def layers(self, card: ModelCard) -> list[Layer]:
        """The layers of a model that were asked for."""
        return self.selection.layers(card)

    def layer(self, card: ModelCard) -> Layer:
        """The one layer that a figure shows: the first that was named, or else one two thirds down the model."""
        layers = self.layers(card)
        return layers[int(len(layers) * DEPTH)] if self.config.layers == "default" else layers[0]

    @property
    def names_channels(self) -> bool:
        """Whether it was said which channels are shown."""
        return self.config.channels != "all" or isinstance(self.config.layers, Mapping)

    def channels(self, card: ModelCard, layer: Layer) -> list[int]:
        """The channels that were named, or else the layer's first `features`."""
        channels = self.selection.channels(card, layer)
        return list(channels if self.names_channels else channels[: self.config.features])

    def octaves(self, card: ModelCard, recipe: RecipeConfig) -> list[OctaveConfig]:
        """A recipe's octaves with the sizes and step counts that they have for a model."""
        return fitted_recipe(replace(self.config, recipe=recipe), card, read_material(recipe)).octaves

    def steps(self, card: ModelCard, recipe: RecipeConfig) -> int:
        """How many steps a recipe has for a model."""
        return sum(octave.steps or 0 for octave in self.octaves(card, recipe))

    def metric(self, name: str) -> dict[str, MetricConfig]:
        """One metric, with the constant that was asked for."""
        return {name: self.config.metrics.get(name, MetricConfig(None if name == "mean" else CONSTANT))}

    def images(self, card: ModelCard, layer: Layer, channels: list[int], **changes: Any) -> list[StockImage]:
        """Images of some channels, read where an atlas holds them, or else made; `changes` are keys of the sweep."""
        return self._images(self._sweep(card, {layer.name: channels}, **changes), card)

    def _images(self, sweep: FigureConfig, card: ModelCard) -> list[StockImage]:
        plan = self._plan(sweep, card)
        stock = {**stock_of(self.beside, plan), **stock_of(self.atlas, plan)}
        missing = left_of(plan, stock)
        if missing.shards:
            self._make(sweep, missing)
            stock = {**stock_of(self.beside, plan), **stock}
        images = [stock.get(image.task, image) for image in placeholders(plan)]
        self.failures += [image.address for image in images if image.status == "failed"]
        return images

    def images_by_layer(self, card: ModelCard, layers: list[Layer]) -> dict[str, list[StockImage]]:
        """The images of several layers' channels, made in one run."""
        channels = {layer.name: self.channels(card, layer) for layer in layers}
        by_layer: dict[str, list[StockImage]] = {name: [] for name in channels}
        for image in self._images(self._sweep(card, channels), card):
            by_layer[image.layer].append(image)
        return by_layer

    def holds(self, card: ModelCard, layer: Layer) -> bool:
        """Whether the atlas that is read has all images of a layer that were asked for."""
        plan = self._plan(self._sweep(card, self._all_channels(card, layer)), card)
        return len(stock_of(self.atlas, plan)) == plan.tasks

    def layer_atlas(self, card: ModelCard, layer: Layer) -> AtlasPaths:
        """An atlas that has the channels of one layer and nothing else, made beside the one that is read."""
        sweep = self._sweep(card, self._all_channels(card, layer))
        plan = self._plan(sweep, card)
        paths = AtlasPaths(self.folder / f"layer-{plan.id}")
        missing = left_of(plan, stock_of(paths, plan))
        if missing.shards:
            self._make(replace(sweep, out=str(paths.root)), missing)
        return paths

    def trajectory(
        self, card: ModelCard, layer: Layer, channel: int, *, recipe: RecipeConfig
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Steps (n,), and the mean activation of every channel (n, c) at each, while the image of one channel is made.

        There is an atlas for each `trace_every`, which is no part of an image's identity. NothingToShow: the image
        could not be made, or is dead.
        """
        sweep = self._sweep(card, {layer.name: [channel]}, recipe=recipe, trace="full")
        paths = AtlasPaths(self.folder / f"traced-{recipe.trace_every}")
        plan = self._plan(sweep, card)
        missing = left_of(plan, set(stock_of(paths, plan)) & traced_tasks(paths, plan))
        if missing.shards:
            self._make(replace(sweep, out=str(paths.root)), missing)
        image = next(iter(stock_of(paths, plan).values()), None)
        if image is None or image.status != "ok":
            reason = "could not be made" if image is None else "is dead: no gradient reaches its image"
            raise NothingToShow(f"{card.name}/{layer.name}:{channel} {reason}")
        steps, means = zip(*activations(paths, image), strict=True)
        return np.array(steps), np.array(means, np.float32)

    def subtitle(self, recipe: str = "", metric: str = "") -> str:
        """How the images of a figure were made, in a line; it names weights that are not the model's own."""
        parts = [f"recipe {recipe or self.config.recipe.name}", f"metric {metric or ', '.join(self.config.metrics)}"]
        parts += [
            f"weights of {card.name}: {card.weights}" for card in self.cards.values() if card.weights != "default"
        ]
        return ", ".join(parts)

    def heading(self, title: str, subtitle: str = "") -> Heading:
        """The words above a figure, if any are wanted there."""
        return Heading(title, subtitle) if self.config.title else Heading()

    def _all_channels(self, card: ModelCard, layer: Layer) -> dict[str, list[int]]:
        """Every channel of a layer that was asked for, however many a figure shows."""
        return {layer.name: list(self.selection.channels(card, layer))}

    def _sweep(self, card: ModelCard, channels: Mapping[str, list[int]], **changes: Any) -> FigureConfig:
        """The config of a sweep that makes what a figure needs; channels: by layer."""
        return replace(
            self.config,
            out=str(self.beside.root),
            name="figures",
            models={card.name: self.config.models[card.name]},
            layers=channels,
            channels="all",
            **changes,
        )

    def _plan(self, sweep: FigureConfig, card: ModelCard) -> Plan:
        sweep = replace(sweep, recipe=as_held(self.atlas, sweep.recipe))
        material = read_material(sweep.recipe)
        cards = {card.name: card}
        mistakes = value_mistakes(sweep)
        plan = collect(mistakes, partial(make_plan, sweep, cards, material))
        if mistakes or plan is None:
            raise ConfigError(mistakes)
        return plan

    def _make(self, sweep: FigureConfig, plan: Plan) -> None:
        """Make the images of a plan; Unfinished if that is stopped, or a model cannot be loaded where the work runs."""
        rate = RATE[device_of(sweep, self.card)]
        if sweep.cluster.kind == "local" and plan.cost < LITTLE_WORK * rate:
            sweep = replace(sweep, cluster=replace(sweep.cluster, kind="inline"))
        outcome = generate(sweep, plan, [])
        if outcome.stopped:
            raise Unfinished(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left")
        for name, message in outcome.abandoned.items():
            raise Unfinished(f"{name} could not be loaded where the work runs: {message}")
