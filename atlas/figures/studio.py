"""Images for figures: read from an atlas where it holds them, else made beside it by the same engine."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.rooted import rooted_model
from atlas.config.schema import CONSTANT, FigureConfig, MetricConfig, OctaveConfig, RecipeConfig
from atlas.figures.stock import StockImage, along, held, traced, unmade, without
from atlas.generate.job import generate
from atlas.generate.recipe_inputs import read_material
from atlas.records import Layer, ModelCard
from atlas.store.output import output_mistakes
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import fingerprint
from atlas.sweep.plan import Plan, device_of, fitted_recipe, make_plan
from atlas.sweep.selection import read_selection
from atlas.sweep.shards import RATE
from atlas.zoo.card_reader import read_cards

LITTLE = 60.0  # seconds of one actor's work: below it, starting Ray would take too large a part of the time
DEPTH = 2 / 3  # of the way through a model: where features are neither edges nor whole objects


class Unfinished(Exception):
    """The images that a figure needs are not all made: somebody stopped it. What is made is kept."""


class NothingToShow(Exception):
    """There is nothing to be shown, and running again would not change that."""


class Studio:
    """An atlas to read from, and the one beside it in which what is missing is made."""

    def __init__(self, config: FigureConfig, mistakes: list[str]) -> None:
        """Read the models; ConfigError with all that is wrong, also what is known of the command line already."""
        self.config = config
        self.failures: list[str] = []  # features whose image could not be made
        wrong = [*mistakes, *value_mistakes(config), *output_mistakes(config.out)]
        config.models = {name: rooted_model(model) for name, model in config.models.items()}
        self.cards, unreadable = ({}, []) if wrong else read_cards(config.models)
        wrong += unreadable
        if not wrong:
            collect(wrong, partial(make_plan, config, self.cards))
        if wrong:
            raise ConfigError(wrong)
        self.selection = read_selection(config, self.cards)
        self.atlas = AtlasPaths(config.out)
        self.folder = self.atlas.root / "figures"
        self.made = AtlasPaths(self.folder / "made")

    @property
    def card(self) -> ModelCard:
        """The one model that a figure shows, or the first."""
        return next(iter(self.cards.values()))

    def layers(self, card: ModelCard) -> list[Layer]:
        """All that was asked for of a model."""
        return self.selection.layers(card)

    def layer(self, card: ModelCard) -> Layer:
        """The one layer that a figure shows: the first that was named, else one two thirds down the model."""
        layers = self.layers(card)
        return layers[int(len(layers) * DEPTH)] if self.config.layers == "default" else layers[0]

    def channels(self, layer: Layer) -> list[int]:
        """Those that were named, else the layer's first `features`."""
        found = self.selection.channels(layer)
        return list(found if self.config.channels != "all" else found[: self.config.features])

    def octaves(self, card: ModelCard, recipe: RecipeConfig) -> list[OctaveConfig]:
        """A recipe's octaves with every size and step count as it is for a model."""
        return fitted_recipe(replace(self.config, recipe=recipe), card, read_material(recipe)).octaves

    def steps(self, card: ModelCard, recipe: RecipeConfig) -> int:
        """How many steps a recipe has for a model."""
        return sum(octave.steps or 0 for octave in self.octaves(card, recipe))

    def metric(self, name: str) -> dict[str, MetricConfig]:
        """One metric, with the constant that was asked for."""
        return {name: self.config.metrics.get(name, MetricConfig(None if name == "mean" else CONSTANT))}

    def shown(self, card: ModelCard, layer: Layer, channels: list[int], **changes: Any) -> list[StockImage]:
        """Images of some channels: those that are held are read, the others made. Changes: of the sweep's keys."""
        return self._shown(self._asked(card, [layer], channels, **changes), card)

    def _shown(self, asked: FigureConfig, card: ModelCard) -> list[StockImage]:
        plan = self._plan(asked, card)
        found = {**held(self.made, plan), **held(self.atlas, plan)}
        missing = without(plan, found)
        if missing.shards:
            self._make(asked, missing)
            found = {**held(self.made, plan), **found}
        shown = [found.get(one.task, one) for one in unmade(plan)]
        self.failures += [f"{one.model}/{one.layer}:{one.channel}" for one in shown if one.status == "failed"]
        return shown

    def grid(self, card: ModelCard, layers: list[Layer]) -> dict[str, list[StockImage]]:
        """The channels to be shown of each of some layers, made in one run."""
        asked: Any = self.config.channels
        if asked == "all":
            asked = f"0:{min(self.config.features, max(layer.channels for layer in layers))}"
        found: dict[str, list[StockImage]] = {layer.name: [] for layer in layers}
        for one in self._shown(self._asked(card, layers, asked), card):
            found[one.layer].append(one)
        return found

    def holds(self, card: ModelCard, layer: Layer) -> bool:
        """Whether the atlas that is read has all images of a layer that are asked for."""
        plan = self._plan(self._asked(card, [layer], self.config.channels), card)
        return len(held(self.atlas, plan)) == plan.tasks

    def whole(self, card: ModelCard, layer: Layer) -> AtlasPaths:
        """An atlas of the channels of a layer and of nothing else, beside the one that is read."""
        asked = self._asked(card, [layer], self.config.channels)
        plan = self._plan(asked, card)
        paths = AtlasPaths(self.folder / f"layer-{fingerprint([shard.id for shard in plan.shards])}")
        missing = without(plan, held(paths, plan))
        if missing.shards:
            self._make(replace(asked, out=str(paths.root)), missing)
        return paths

    def along(
        self, card: ModelCard, layer: Layer, channel: int, *, recipe: RecipeConfig
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Steps (n,), and the mean activation of every channel (n, c) at each, while the image of one is made.

        Kept apart by how often the recipe looks, which is no part of an image's identity.
        """
        asked = self._asked(card, [layer], [channel], recipe=recipe, trace="full")
        paths = AtlasPaths(self.folder / f"traced-{recipe.trace_every}")
        plan = self._plan(asked, card)
        missing = without(plan, set(held(paths, plan)) & traced(paths, plan))
        if missing.shards:
            self._make(replace(asked, out=str(paths.root)), missing)
        shown = next(iter(held(paths, plan).values()), None)
        if shown is None or shown.status != "ok":
            said = "could not be made" if shown is None else "is dead: no gradient reaches its image"
            raise NothingToShow(f"{card.name}/{layer.name}:{channel} {said}")
        steps, means = zip(*along(paths, shown), strict=True)
        return np.array(steps), np.array(means, np.float32)

    def told(self, recipe: str = "", metric: str = "") -> str:
        """How the images of a figure were made, in a line; weights that are not the model's own are said."""
        parts = [f"recipe {recipe or self.config.recipe.name}", f"metric {metric or ', '.join(self.config.metrics)}"]
        parts += [f"weights of {one.name}: {one.weights}" for one in self.cards.values() if one.weights != "default"]
        return ", ".join(parts)

    def _asked(self, card: ModelCard, layers: list[Layer], channels: Any, **changes: Any) -> FigureConfig:
        return replace(
            self.config,
            out=str(self.made.root),
            name="figures",
            models={card.name: self.config.models[card.name]},
            layers=[layer.name for layer in layers],
            channels=channels,
            **changes,
        )

    def _plan(self, asked: FigureConfig, card: ModelCard) -> Plan:
        material = read_material(asked.recipe)
        cards = {card.name: card}
        mistakes = value_mistakes(asked)
        plan = collect(mistakes, partial(make_plan, asked, cards, material))
        if mistakes or plan is None:
            raise ConfigError(mistakes)
        return plan

    def _make(self, asked: FigureConfig, plan: Plan) -> None:
        rate = RATE[device_of(asked, self.card)]
        if asked.cluster.kind == "local" and plan.cost < LITTLE * rate:
            asked = replace(asked, cluster=replace(asked.cluster, kind="inline"))
        outcome = generate(asked, plan, [])
        if outcome.stopped:
            raise Unfinished(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left")
        for name, message in outcome.abandoned.items():
            raise Unfinished(f"{name} could not be loaded where the work runs: {message}")
