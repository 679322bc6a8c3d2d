"""From what was asked to what is to be made: the shards of a sweep, or every mistake in it at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from atlas.config.mistakes import collect
from atlas.config.schema import RecipeConfig, SweepConfig
from atlas.records import ImageShard, Item, Layer, ModelCard, Target
from atlas.sweep.channels import channel_mistakes, parse_channels, select_channels
from atlas.sweep.identity import shard_id, variant_of
from atlas.sweep.layer_choice import layer_mistakes, select_layers, wanted_globs
from atlas.sweep.recipe_fit import Material, fit_recipe
from atlas.sweep.shards import cut, image_cost
from atlas.sweep.targets import make_targets, target_mistakes


@dataclass(frozen=True)
class Plan:
    """All of a sweep: what every shard of a model shares, and the shards, in order of models and execution."""

    cards: dict[str, ModelCard]
    recipes: dict[str, RecipeConfig]  # by model: every size and step count filled in
    shards: tuple[ImageShard, ...]

    @property
    def tasks(self) -> int:
        return sum(len(shard.items) for shard in self.shards)

    @property
    def cost(self) -> float:
        return sum(shard.cost for shard in self.shards)


def make_plan(config: SweepConfig, cards: dict[str, ModelCard], material: Material | None = None) -> Plan:
    """The product models x layers x targets x channels x metrics x seeds, cut into shards; the config holds no mistakes."""
    globs, targets = wanted_globs(config.layers), make_targets(config.target)
    parts = parse_channels(config.channels)
    recipes = {name: fitted(config, card, material) for name, card in cards.items()}
    shards = [
        shard
        for name, card in cards.items()
        for layer, metric, target in product(select_layers(globs, card), config.metrics, targets)
        for shard in _layer_shards(config, card, recipes[name], layer, metric, target, parts)
    ]
    return Plan(cards, recipes, tuple(shards))


def plan_mistakes(config: SweepConfig, cards: dict[str, ModelCard], material: Material | None = None) -> list[str]:
    """Everything wrong with what a sweep asks of its models; with fewer cards than models, only what needs none."""
    found: list[str] = []
    parts = collect(found, lambda: parse_channels(config.channels))
    targets = collect(found, lambda: make_targets(config.target))
    globs = wanted_globs(config.layers)
    if len(cards) < len(config.models):
        return found
    found += layer_mistakes(globs, cards)
    wants_gpu = config.cluster.device == "cuda" and config.cluster.kind != "ray"
    if wants_gpu and not all(card.gpus for card in cards.values()):
        found.append("cluster.device=cuda: this machine shows no CUDA device; leave it auto, or say cpu")
    for name, card in cards.items():
        collect(found, lambda card=card: fitted(config, card, material))
        layers = select_layers(globs, card)
        if layers and parts is not None:
            found += channel_mistakes(parts, name, layers)
        if layers and targets is not None:
            found += [text for target in targets for text in target_mistakes(target, card, layers)]
    return found


def fitted(config: SweepConfig, card: ModelCard, material: Material | None) -> RecipeConfig:
    model = config.models[card.name]
    return fit_recipe(
        config.recipe,
        card.name,
        input_size=card.input_size,
        grows=card.resizable,
        sizes=model.sizes,
        steps=model.steps,
        material=material,
    )


def _layer_shards(
    config: SweepConfig,
    card: ModelCard,
    recipe: RecipeConfig,
    layer: Layer,
    metric: str,
    target: Target,
    parts: list[slice | int],
) -> Iterator[ImageShard]:
    variant = variant_of(card, recipe, metric, config.metrics[metric].constant)
    deepest = max([layer, *(find_layer(card, p) for p in target.partners)], key=lambda one: one.macs)
    cost = image_cost(deepest, card, recipe)
    device = device_of(config, card)
    items = [_item(channel, seed) for channel, seed in product(select_channels(parts, layer), config.seeds)]
    for run in cut(items, cost, device, config.cluster.shard_seconds):
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
    return next(layer for layer in card.layers if layer.name == name)


def device_of(config: SweepConfig, card: ModelCard) -> str:
    """`cpu` or `cuda`, as asked, or as the machine has it."""
    if config.cluster.device != "auto":
        return config.cluster.device
    return "cuda" if card.gpus else "cpu"
