"""Images for figures: read from an atlas where it holds them, else made beside it by the same engine."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.recipes import read_recipe
from atlas.config.schema import FigureConfig, MetricConfig, RecipeConfig
from atlas.figures.held import Shown, along, held, tasks_of, traced, without
from atlas.optvis.metrics import CONSTANT
from atlas.records import Layer, ModelCard
from atlas.run.cards import read_cards
from atlas.run.generate import generate
from atlas.run.materials import read_material
from atlas.store.paths import AtlasPaths
from atlas.sweep.channels import parse_channels, select_channels
from atlas.sweep.layers import select_layers, wanted_globs
from atlas.sweep.plan import Plan, device_of, fitted, make_plan, plan_mistakes
from atlas.sweep.shards import RATE

LITTLE = 60.0  # seconds of one actor's work: below it, starting Ray would take too large a part of the time
DEPTH = 2 / 3  # of the way through a model: where features are neither edges nor whole objects


class Stopped(Exception):
    """The images that a figure needs are not all made: somebody stopped it. What is made is kept."""


class Studio:
    """An atlas to read from, and the one beside it in which what is missing is made."""

    def __init__(self, config: FigureConfig, mistakes: list[str]) -> None:
        """Read the models; ConfigError with all that is wrong, also what is known of the command line already."""
        self.config = config
        self.cards, unreadable = read_cards(config.models)
        wrong = [*mistakes, *value_mistakes(config), *unreadable]
        wrong = wrong or plan_mistakes(config, self.cards)
        if wrong:
            raise ConfigError(wrong)
        self.atlas = AtlasPaths(config.out)
        self.folder = self.atlas.root / "figures"
        self.made = AtlasPaths(self.folder / "made")

    @property
    def card(self) -> ModelCard:
        """The one model that a figure shows, or the first."""
        return next(iter(self.cards.values()))

    def layers(self, card: ModelCard) -> list[Layer]:
        """All that was asked for of a model."""
        return select_layers(wanted_globs(self.config.layers), card)

    def layer(self, card: ModelCard) -> Layer:
        """The one layer that a figure shows: the first that was named, else one two thirds down the model."""
        layers = self.layers(card)
        return layers[int(len(layers) * DEPTH)] if self.config.layers == "default" else layers[0]

    def channels(self, layer: Layer) -> list[int]:
        """Those that were named, else the layer's first `features`."""
        found = select_channels(parse_channels(self.config.channels), layer)
        return list(found if self.config.channels != "all" else found[: self.config.features])

    def recipe(self, name: str, **changes: Any) -> RecipeConfig:
        return read_recipe(name, **changes)

    def fitted(self, card: ModelCard, recipe: RecipeConfig) -> RecipeConfig:
        """A recipe with every size and step count as it is for a model."""
        return fitted(replace(self.config, recipe=recipe), card, read_material(recipe))

    def metric(self, name: str) -> dict[str, MetricConfig]:
        """One metric, with the constant that was asked for."""
        return {name: self.config.metrics.get(name, MetricConfig(None if name == "mean" else CONSTANT))}

    def shown(self, card: ModelCard, layer: Layer, channels: list[int], **changes: Any) -> list[Shown]:
        """Images of some channels: those that are held are read, the others made. Changes: of the sweep's keys."""
        return self._shown(self._asked(card, [layer], channels, **changes), card)

    def _shown(self, asked: FigureConfig, card: ModelCard) -> list[Shown]:
        plan = self._plan(asked, card)
        found = {**held(self.made, plan), **held(self.atlas, plan)}
        enough = set(found) if asked.trace == "score" else set(found) & self._traced(plan)
        missing = without(plan, enough)
        if missing.shards:
            self._make(asked, missing)
            found = {**held(self.made, plan), **found}
        return [found.get(task) or Shown(row, self.made.root) for task, row in tasks_of(plan)]

    def _traced(self, plan: Plan) -> set[str]:
        """Images of which it is known what every channel did along the way."""
        return traced(self.atlas, plan) | traced(self.made, plan)

    def grid(self, card: ModelCard, layers: list[Layer]) -> dict[str, list[Shown]]:
        """The channels to be shown of each of some layers, made in one run."""
        asked: Any = self.config.channels
        if asked == "all":
            asked = f"0:{min(self.config.features, max(layer.channels for layer in layers))}"
        found: dict[str, list[Shown]] = {layer.name: [] for layer in layers}
        for one in self._shown(self._asked(card, layers, asked), card):
            found[one.layer].append(one)
        return found

    def whole(self, card: ModelCard, layer: Layer, channels: list[int]) -> AtlasPaths:
        """An atlas that holds all images of some channels: the one that is read if it does, else the one beside it."""
        asked = self._asked(card, [layer], channels)
        plan = self._plan(asked, card)
        if len(held(self.atlas, plan)) == plan.tasks:
            return self.atlas
        missing = without(plan, set(held(self.made, plan)))
        if missing.shards:
            self._make(asked, missing)
        return self.made

    def along(self, shown: Shown) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Steps (n,), and the mean activation of every channel (n, c), while an image was made with trace=full."""
        rows = along(self.atlas, shown) or along(self.made, shown)
        if not rows:
            raise Stopped(f"{shown.feature}: nothing was kept of how its image was made")
        return np.array([row["step"] for row in rows]), np.array([row["activation"] for row in rows], np.float32)

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
        mistakes = [*value_mistakes(asked), *plan_mistakes(asked, cards, material)]
        if mistakes:
            raise ConfigError(mistakes)
        return make_plan(asked, cards, material)

    def _make(self, asked: FigureConfig, plan: Plan) -> None:
        rate = RATE[device_of(asked, self.card)]
        if asked.cluster.kind == "local" and plan.cost < LITTLE * rate:
            asked = replace(asked, cluster=replace(asked.cluster, kind="inline"))
        outcome = generate(asked, plan, [])
        if outcome.stopped:
            raise Stopped(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left")
        for name, message in outcome.abandoned.items():
            raise Stopped(f"{name} could not be loaded where the work runs: {message}")
