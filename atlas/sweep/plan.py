"""From what was asked to what is to be made: the shards of a sweep, or every mistake in it at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product

from atlas.config.mistakes import ConfigError, collect
from atlas.config.schema import RecipeConfig, SweepConfig
from atlas.records import ImageShard, Item, Layer, ModelCard, Part, Target
from atlas.sweep.identity import fingerprint, shard_id, variant_of
from atlas.sweep.recipe_fit import Material, fit_recipe
from atlas.sweep.selection import Selection, read_selection
from atlas.sweep.shards import cut, image_cost


@dataclass(frozen=True)
class Plan:
    """All of a sweep: what every shard of a model shares, and the shards, in order of models and execution."""

    cards: dict[str, ModelCard]
    recipes: dict[str, RecipeConfig]  # by model: every size and step count filled in
    shards: tuple[ImageShard, ...]

    def only(self, part: Part | None) -> "Plan":
        """The same with the shards of one part; None: with all."""
        return self if part is None else replace(self, shards=tuple(shard for shard in self.shards if part.has(shard)))

    def without(self, part: Part) -> "Plan":
        """The same with the shards of all other parts."""
        return replace(self, shards=tuple(shard for shard in self.shards if not part.has(shard)))

    @property
    def id(self) -> str:
        """Hash of all that is asked for, as it is cut."""
        return fingerprint([shard.id for shard in self.shards])

    @property
    def tasks(self) -> int:
        return sum(len(shard.items) for shard in self.shards)

    @property
    def cost(self) -> float:
        return sum(shard.cost for shard in self.shards)


def make_plan(config: SweepConfig, cards: dict[str, ModelCard], material: Material | None = None) -> Plan:
    """The product models x layers x targets x channels x metrics x seeds, cut into shards.

    ConfigError with everything that is wrong with what a sweep asks of its models; with fewer cards than models, only
    with what none is needed to see.
    """
    mistakes: list[str] = []
    selection = collect(mistakes, partial(read_selection, config, cards))
    mistakes += _gpu_mistakes(config, cards)
    fits = {name: collect(mistakes, partial(fitted_recipe, config, card, material)) for name, card in cards.items()}
    recipes = {name: recipe for name, recipe in fits.items() if recipe is not None}
    if mistakes or selection is None:
        raise ConfigError(mistakes)
    cutter = _Cutter(config, selection)
    shards = [shard for name, card in cards.items() for shard in cutter.shards(card, recipes[name])]
    return Plan(cards, recipes, tuple(shards))


def _gpu_mistakes(config: SweepConfig, cards: dict[str, ModelCard]) -> list[str]:
    # a plan may be asked for where the work will not be done, as on a login node
    wanted = config.cluster.device == "cuda" and config.cluster.kind != "ray" and not config.dry_run
    if not wanted or all(card.gpus for card in cards.values()):
        return []
    return ["cluster.device=cuda: this machine shows no CUDA device; leave it auto, or say cpu"]


def fitted_recipe(config: SweepConfig, card: ModelCard, material: Material | None) -> RecipeConfig:
    """The sweep's recipe with every size and step count filled in for a model; ConfigError where they do not fit."""
    model = config.models[card.name]
    return fit_recipe(
        config.recipe,
        card.name,
        input_size=card.input_size,
        grows=card.resizable,
        sizes=model.sizes,
        steps=model.steps,
        material=material,
        device=device_of(config, card),
    )


@dataclass(frozen=True)
class _Cutter:
    """Cuts what is selected of a model into shards."""

    config: SweepConfig
    selection: Selection

    def shards(self, card: ModelCard, recipe: RecipeConfig) -> Iterator[ImageShard]:
        layers = self.selection.layers(card)
        for layer, metric, target in product(layers, self.config.metrics, self.selection.targets):
            yield from self._layer_shards(card, recipe, layer, metric=metric, target=target)

    def _layer_shards(
        self, card: ModelCard, recipe: RecipeConfig, layer: Layer, *, metric: str, target: Target
    ) -> Iterator[ImageShard]:
        config = self.config
        variant = variant_of(card, recipe, metric, config.metrics[metric].constant)
        deepest = max([layer, *(find_layer(card, p) for p in target.partners)], key=lambda candidate: candidate.macs)
        cost = image_cost(deepest, card, recipe)
        items = [_item(channel, seed) for channel, seed in product(self.selection.channels(card, layer), config.seeds)]
        for run in cut(items, cost, device_of(config, card), config.cluster.shard_seconds):
            yield ImageShard(
                id=shard_id(variant, layer.name, target, run),
                model=card.name,
                layer=layer.name,
                layer_index=layer.index,
                metric=metric,
                variant=variant,
                target=target,
                items=run,
                cost=cost * len(run),
            )


@cache
def _item(channel: int, seed: int) -> Item:
    """The same item for every layer and metric: a plan of a million images must fit beside its driver."""
    return Item(channel, seed)


def find_layer(card: ModelCard, address: str) -> Layer:
    """The layer that a partner's address names; it is known to exist once the target has been checked."""
    name = address.partition("/")[2].rpartition(":")[0]
    return next(layer for layer in card.every if layer.name == name)


def device_of(config: SweepConfig, card: ModelCard) -> str:
    """`cpu` or `cuda`, as asked, or as the machine has it."""
    if config.cluster.device != "auto":
        return config.cluster.device
    return "cuda" if card.gpus else "cpu"
