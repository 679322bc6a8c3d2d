"""Images for figures: read from an atlas where it holds them, else made beside it by the same engine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.recipes import read_recipe
from atlas.config.schema import FigureConfig, MetricConfig, RecipeConfig
from atlas.optvis.metrics import CONSTANT
from atlas.records import Layer, ModelCard
from atlas.run.cards import read_cards
from atlas.run.generate import generate
from atlas.run.materials import read_material
from atlas.store.images import read_picture
from atlas.store.index import files_under, read_table
from atlas.store.paths import AtlasPaths
from atlas.sweep.channels import parse_channels, select_channels
from atlas.sweep.identity import task_id
from atlas.sweep.layers import select_layers, wanted_globs
from atlas.sweep.plan import Plan, device_of, fitted, make_plan, plan_mistakes
from atlas.sweep.shards import RATE

LITTLE = 60.0  # seconds of one actor's work: below it, starting Ray would take too large a part of the time
DEPTH = 2 / 3  # of the way through a model: where features are neither edges nor whole objects
COLUMNS = ("task", "feature", "model", "layer", "channel", "target", "metric", "seed", "status", "score", "image")


class Stopped(Exception):
    """The images that a figure needs are not all made: somebody stopped it. What is made is kept."""


@dataclass(frozen=True)
class Shown:
    """One image of an atlas, or what is known of one that could not be made."""

    row: dict[str, Any]
    root: Path

    @property
    def image(self) -> Image.Image | None:
        return read_picture(self.root / self.row["image"]) if self.row["status"] in ("ok", "dead") else None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None


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
        held = {**self._held(self.made, plan), **self._held(self.atlas, plan)}
        missing = _without(plan, set(held) - self._untraced(asked, held))
        if missing.shards:
            self._make(asked, missing)
            held = {**self._held(self.made, plan), **held}
        return [held.get(task) or Shown(row, self.made.root) for task, row in _tasks(plan)]

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
        if len(self._held(self.atlas, plan)) == plan.tasks:
            return self.atlas
        missing = _without(plan, set(self._held(self.made, plan)))
        if missing.shards:
            self._make(asked, missing)
        return self.made

    def along(self, shown: Shown) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Steps (n,), and the mean activation of every channel (n, c), while an image was made with trace=full."""
        for paths in (AtlasPaths(shown.root), self.made):
            for file in files_under(paths.shard_trace(shown.model, shown.layer, "").parent):
                rows = [row for row in read_table(file).to_pylist() if row["task"] == shown.task]
                if rows:
                    rows.sort(key=lambda row: row["step"])
                    return np.array([r["step"] for r in rows]), np.array([r["activation"] for r in rows], np.float32)
        raise Stopped(f"{shown.feature}: nothing was kept of how its image was made")

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

    def _held(self, paths: AtlasPaths, plan: Plan) -> dict[str, Shown]:
        """What an atlas holds of a plan, by task."""
        wanted = {task for task, _ in _tasks(plan)}
        folders = {paths.layer_index(shard.model, shard.layer) for shard in plan.shards}
        rows = (row for folder in folders for file in files_under(folder) for row in _rows(file))
        return {row["task"]: Shown(row, paths.root) for row in rows if row["task"] in wanted}

    def _untraced(self, asked: FigureConfig, held: dict[str, Shown]) -> set[str]:
        """Images that are there, of which it is not known what every channel did along the way, though it is asked."""
        if asked.trace != "full":
            return set()
        traced = {
            task
            for paths in (self.atlas, self.made)
            for one in held.values()
            for file in files_under(paths.shard_trace(one.model, one.layer, "").parent)
            for task in read_table(file, ["task"])["task"].to_pylist()
        }
        return set(held) - traced

    def _make(self, asked: FigureConfig, plan: Plan) -> None:
        rate = RATE[device_of(asked, self.card)]
        if asked.cluster.kind == "local" and plan.cost < LITTLE * rate:
            asked = replace(asked, cluster=replace(asked.cluster, kind="inline"))
        outcome = generate(asked, plan, [])
        if outcome.stopped:
            raise Stopped(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left")
        for name, message in outcome.abandoned.items():
            raise Stopped(f"{name} could not be loaded where the work runs: {message}")


def _tasks(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task, in the plan's order, and what is known of it before it is made."""
    for shard in plan.shards:
        for item in shard.items:
            known = {"model": shard.model, "layer": shard.layer, "channel": item.channel, "seed": item.seed}
            yield task_id(shard, item), known | {"metric": shard.metric, "status": "failed", "score": None}


def _without(plan: Plan, held: set[str]) -> Plan:
    """A plan with only those of its tasks that are not held."""
    left = []
    for shard in plan.shards:
        items = tuple(item for item in shard.items if task_id(shard, item) not in held)
        if items:
            left.append(shard if len(items) == len(shard.items) else shard.only(items))
    return replace(plan, shards=tuple(left))


def _rows(file: Path) -> Iterable[dict[str, Any]]:
    return read_table(file, COLUMNS).to_pylist()
