"""What a task is: the hash of everything that reaches its pixels, never its rank, place or time."""

import json
from collections.abc import Collection
from dataclasses import MISSING, asdict, fields, is_dataclass
from hashlib import blake2b
from typing import Any

from atlas.config.schema import RecipeConfig
from atlas.records import ImageShard, Item, ModelCard, Target

METHOD = 1  # raised when a change of the code changes what images show, and not their rounding alone
UNSEEN = ("name", "trace_every", "spectrum")  # parts of a recipe that no pixel depends on; amplitudes tell a spectrum


def fingerprint(value: Any, size: int = 10) -> str:
    """Hash of a JSON value as 2 x size hex digits; equal values give equal digits on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=size).hexdigest()


def variant_of(card: ModelCard, recipe: RecipeConfig, metric: str, constant: float | None) -> str:
    """Hash of what the images of one model and metric share: weights, recipe, metric and its constant.

    The model's name is in it too: the same weights under two names are two models, each with rows of its own.
    """
    settings = {key: value for key, value in non_defaults(recipe).items() if key not in UNSEEN}
    if recipe.picture is not None:
        settings["picture"] = recipe.picture.rpartition("@")[2]  # what it shows, wherever it lies
    return fingerprint([METHOD, card.name, card.digest, settings, metric, constant])


def non_defaults(config: Any) -> Any:
    """A config as plain values, without those that stand at their defaults: a key that is new changes no older task."""
    if isinstance(config, list):
        return [non_defaults(one) for one in config]
    if not is_dataclass(config):
        return config
    return {
        field.name: non_defaults(value)
        for field in fields(config)
        if (value := getattr(config, field.name))
        != (field.default_factory() if field.default_factory is not MISSING else field.default)
    }


def task_id(shard: ImageShard, item: Item) -> str:
    """The identity of one image; column `task`."""
    return fingerprint([shard.variant, shard.layer, asdict(shard.target), item.channel, item.seed])


def shard_id(variant: str, layer: str, target: Target, items: tuple[Item, ...]) -> str:
    """The identity of images made together; the name of their index file."""
    return fingerprint([variant, layer, asdict(target), items])


def noise_seed(layer: str, item: Item) -> int:
    """Seed of an image's own random stream, 63 bits.

    Metric, target, recipe and weights are left out: images that differ only in those begin alike and can be compared.
    """
    return int(fingerprint([layer, item.channel, item.seed], size=8), 16) >> 1


def part(shard: ImageShard, tasks: Collection[str]) -> ImageShard | None:
    """The shard with only those of its items whose task is among `tasks`; None when there is none."""
    items = tuple(item for item in shard.items if task_id(shard, item) in tasks)
    if not items:
        return None
    return shard if len(items) == len(shard.items) else shard.only(items)
