"""What can be wrong with a sweep's values before any model is looked at: every mistake, as one list."""

import math
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from atlas.config.mistakes import nearest
from atlas.config.schema import (
    ClusterConfig,
    ModelConfig,
    OctaveConfig,
    ProbeConfig,
    RecipeConfig,
    SimilarityConfig,
    SweepConfig,
)
from atlas.records import MEASURES, SCOPES

METRICS = ("l1", "l2", "linf", "mean")  # the keys of optvis.metrics.METRICS, here so that no check loads torch
CHOICES = {
    "recipe.gradient": ("raw", "rms"),
    "recipe.precision": ("float32", "tf32", "bfloat16"),
    "cluster.kind": ("local", "inline", "ray"),
    "cluster.device": ("auto", "cpu", "cuda"),
    "probes.kind": ("atlas", "natural", "patterns"),
    "retry": ("none", "failed", "broken"),
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def value_mistakes(config: SweepConfig) -> list[str]:
    """Everything that is wrong with the values themselves."""
    return [
        *_sweep(config),
        *_models(config),
        *_metrics(config),
        *recipe_mistakes(config.recipe),
        *_cluster(config.cluster),
        *(mistake for name, probe in config.probes.items() for mistake in _probe(name, probe)),
        *_similarity(config.similarity),
    ]


def _sweep(config: SweepConfig) -> Iterator[str]:
    yield from _choice("retry", config.retry)
    if not NAME.fullmatch(config.name):
        yield f"name={config.name!r}: letters, digits and _.+- only, beginning with a letter or digit"
    if not config.seeds or min(config.seeds) < 0 or len(set(config.seeds)) < len(config.seeds):
        yield f"seeds={config.seeds}: a list of different whole numbers from 0 up is wanted"


def _models(config: SweepConfig) -> Iterator[str]:
    if not config.models:
        yield "model=[]: name at least one model"
    for name in config.models:
        if not NAME.fullmatch(name):
            yield f"models.{name}: letters, digits and _.+- only, beginning with a letter or digit"
    for name, model in config.models.items():
        yield from _octave_numbers(f"models.{name}.sizes", model.sizes, least=8)
        yield from _octave_numbers(f"models.{name}.steps", model.steps, least=1)
    known = {field.name for field in fields(ModelConfig)} if "custom" in config.models else set()
    for key in config.model:
        if key not in known:
            yield (
                f"model.{key}: only model=custom reads this; write models.NAME.{key}, "
                "and `# @package models` at the top of a model file"
            )


def _octave_numbers(where: str, values: list[int] | None, least: int) -> Iterator[str]:
    if values is not None and (not values or min(values) < least):
        yield f"{where}={values}: a whole number from {least} up is wanted for each octave, or null"


def _metrics(config: SweepConfig) -> Iterator[str]:
    if not config.metrics:
        yield "metric=[]: name at least one metric"
    for name, metric in config.metrics.items():
        if name not in METRICS:
            yield f"metric={name}: no such metric; {nearest(name, METRICS)}"
        elif name != "mean" and (metric.constant is None or not math.isfinite(metric.constant)):
            yield f"metrics.{name}.constant={metric.constant}: a finite number is wanted"


def recipe_mistakes(recipe: RecipeConfig) -> Iterator[str]:
    """What is wrong with a recipe's values."""
    yield from _choice("recipe.gradient", recipe.gradient)
    yield from _choice("recipe.precision", recipe.precision)
    if len(recipe.start) != 2 or not -math.inf < recipe.start[0] <= recipe.start[1] < math.inf:
        yield f"recipe.start={recipe.start}: the bounds [low, high] of the noise are wanted"
    yield from _at_least("recipe.rescue", recipe.rescue, 0)
    yield from _at_least("recipe.trace_every", recipe.trace_every, 1)
    if not recipe.octaves:
        yield "recipe.octaves=[]: at least one octave is wanted, as {size: 64, steps: 20, lr: [0.4, 0.3], sigma: [2.4, 0.8]}"
    for place, octave in enumerate(recipe.octaves):
        yield from _octave(f"recipe.octaves[{place}]", octave)


def _octave(where: str, octave: OctaveConfig) -> Iterator[str]:
    if octave.size is not None and octave.size < 8:
        yield f"{where}.size={octave.size}: at least 8 pixels are wanted, or null for the model's own size"
    if octave.steps is not None and octave.steps < 1:
        yield f"{where}.steps={octave.steps}: a whole number from 1 up is wanted, or null for the model's own"
    if len(octave.lr) != 2 or not all(map(math.isfinite, octave.lr)):
        yield f"{where}.lr={octave.lr}: two rates [start, end] are wanted"
    if octave.sigma is not None and not (
        len(octave.sigma) == 2 and all(0 < width < math.inf for width in octave.sigma)
    ):
        yield f"{where}.sigma={octave.sigma}: two widths [start, end] above 0 are wanted, or null for no blur"


def _cluster(cluster: ClusterConfig) -> Iterator[str]:
    yield from _choice("cluster.kind", cluster.kind)
    yield from _choice("cluster.device", cluster.device)
    if cluster.kind == "ray" and not cluster.address:
        yield "cluster.address is missing: cluster=ray joins a running cluster, as cluster.address=auto or host:6379"
    for key in ("actors", "batch", "cpus_per_actor"):
        value = getattr(cluster, key)
        if value is not None and value < 1:
            yield f"cluster.{key}={value}: a whole number from 1 up is wanted, or null"
    for key in ("shard_seconds", "gpus_per_actor", "grace", "deadline", "start_timeout"):
        value = getattr(cluster, key)
        if not 0 < value < math.inf:
            yield f"cluster.{key}={value}: a number above 0 is wanted"
    share = cluster.gpus_per_actor
    parts = 1 / share if 0 < share < 1 else share
    if math.isfinite(parts) and abs(round(parts) - parts) > 1e-6:
        yield f"cluster.gpus_per_actor={share}: a whole number, or 1 divided by one (0.5, 0.25): other shares never fit"


def _probe(name: str, probe: ProbeConfig) -> Iterator[str]:
    where = f"probes.{name}"
    if not NAME.fullmatch(name):
        yield f"{where}: letters, digits and _.+- only, beginning with a letter or digit"
    yield from _choice(f"{where}.kind", probe.kind, CHOICES["probes.kind"])
    if probe.kind == "natural":
        yield from _folder(f"{where}.folder", probe.folder)
    for key, least in (("count", 2), ("seed", 0), ("examples", 0)):
        yield from _at_least(f"{where}.{key}", getattr(probe, key), least)


def _folder(where: str, folder: str | None) -> Iterator[str]:
    if not folder:
        yield f"{where} is missing: name the folder of pictures, as {where}=/data/pictures"
    elif not (path := Path(folder).expanduser()).is_dir():
        yield f"{where}={folder}: {'is no folder' if path.exists() else 'no such folder'}; name one of pictures"


def _similarity(similarity: SimilarityConfig) -> Iterator[str]:
    yield from _names("similarity.measures", similarity.measures, MEASURES)
    yield from _names("similarity.scopes", similarity.scopes, SCOPES)
    for key, least in (("top", 1), ("bottom", 0), ("seed", 0)):
        yield from _at_least(f"similarity.{key}", getattr(similarity, key), least)


def _names(where: str, given: list[str], allowed: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(given):
        yield from _choice(where, name, allowed)
    if not given or len(set(given)) < len(given):
        yield f"{where}=[{','.join(given)}]: a list of different names is wanted, of {', '.join(allowed)}"


def _at_least(where: str, value: int, least: int) -> Iterator[str]:
    if value < least:
        yield f"{where}={value}: a whole number from {least} up is wanted"


def _choice(where: str, value: str, allowed: tuple[str, ...] = ()) -> Iterator[str]:
    allowed = allowed or CHOICES[where]
    if value not in allowed:
        yield f"{where}={value}: {nearest(value, allowed)}"
