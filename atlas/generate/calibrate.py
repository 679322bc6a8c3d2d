"""`dry_run=calibrate`: a plan in; the seconds of an image by layer out, measured here on a few steps of the real work."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from tempfile import TemporaryDirectory

from atlas.config.mistakes import ConfigError
from atlas.config.schema import RecipeConfig, SweepConfig
from atlas.engine.threads import worker_threads
from atlas.generate.job import device_and_gpus, image_settings
from atlas.generate.recipe_inputs import keep_start
from atlas.generate.settings import ImageSettings
from atlas.records import ImageShard
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan

LAYERS = 8  # of a model that are tried, from the cheapest to the dearest; the others are reckoned from the nearest
STEPS = (2, 1, 8)  # of each octave: to warm up, and two that tell what a step takes and what an image takes beside them

Seconds = Mapping[tuple[str, str], float]  # of an image, by model and layer


def calibrate(config: SweepConfig, plan: Plan) -> Seconds:
    """Measure what an image of each layer takes one worker of this machine, encoded and written; nothing of it is kept.

    ConfigError: the work would be done on a GPU, and there is none here.
    """
    device, gpus = device_and_gpus(config, plan)
    if device == "cuda" and not gpus:
        raise ConfigError(
            ["dry_run=calibrate: this machine shows no CUDA device, so there is nothing to measure; say true"]
        )
    # Imported here: only work needs it, and a plan does without.
    import torch

    torch.set_num_threads(worker_threads(config.cluster.cpus_per_actor, device))
    seconds: dict[tuple[str, str], float] = {}
    with TemporaryDirectory() as folder:
        settings = image_settings(replace(config, trace="score"), plan, AtlasPaths(folder), frozenset(), nonce="")
        for name, recipe in plan.recipes.items():
            if recipe.picture is not None:
                keep_start(AtlasPaths(folder), recipe.picture)
            rates = list(_rates(settings, name, plan))
            for shard in (shard for shard in plan.shards if shard.model == name):
                cost = _cost(shard)
                _, fixed, rate = min(rates, key=lambda measured: abs(measured[0] - cost))
                seconds[name, shard.layer] = fixed + rate * cost
    return seconds


def _rates(settings: ImageSettings, name: str, plan: Plan) -> Iterator[tuple[float, float, float]]:
    """For some layers of a model: the cost of an image, its seconds beside its steps, and the seconds of a multiply-add."""
    from atlas.engine.pinned import make_repeatable
    from atlas.generate.maker import Maker
    from atlas.zoo.load import load

    loaded = load(name, settings.models[name], settings.device)
    make_repeatable(settings.device)
    for shard in _spread(plan, name):
        points: list[tuple[float, float]] = []
        for steps in STEPS:
            recipe = _shortened(plan.recipes[name], steps)
            maker = Maker(replace(settings, recipes={name: recipe}), loaded)
            some = shard.only(shard.items[: maker.first_batch(shard)])
            share = _share(plan.recipes[name], recipe)
            points.append((share * _cost(shard), maker.make(some).seconds / len(some.items)))
        (less, quick), (more, slow) = points[1:]
        rate = max(0.0, slow - quick) / (more - less)
        yield _cost(shard), max(0.0, quick - rate * less), rate


def _spread(plan: Plan, name: str) -> list[ImageShard]:
    """A shard of each of a few layers of a model, by cost."""
    shards = [shard for shard in plan.shards if shard.model == name]
    first = [next(group) for _, group in groupby(shards, key=lambda shard: shard.layer)]
    ordered = sorted({shard.layer: shard for shard in first}.values(), key=_cost)
    if len(ordered) <= LAYERS:
        return ordered
    return [ordered[round(place * (len(ordered) - 1) / (LAYERS - 1))] for place in range(LAYERS)]


def _cost(shard: ImageShard) -> float:
    """Multiply-adds of one image."""
    return shard.cost / len(shard.items)


def _shortened(recipe: RecipeConfig, steps: int) -> RecipeConfig:
    return replace(recipe, octaves=[replace(octave, steps=steps) for octave in recipe.octaves])


def _share(whole: RecipeConfig, short: RecipeConfig) -> float:
    """The cost of a recipe with fewer steps, in parts of the whole one's."""
    sizes = [float(octave.shown or octave.size or 0) ** 2 for octave in whole.octaves]
    costs = [
        sum(size * (octave.steps or 0) for size, octave in zip(sizes, recipe.octaves, strict=True))
        for recipe in (short, whole)
    ]
    return costs[0] / costs[1]
