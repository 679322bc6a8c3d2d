"""What can be wrong with a sweep's values before any model is looked at: every mistake, as one list."""

import math
import re
from collections.abc import Iterator
from dataclasses import fields

from atlas.config import choices
from atlas.config.extras import install, lacks
from atlas.config.mistakes import nearest
from atlas.config.recipe_checks import recipe_mistakes
from atlas.config.rules import at_least, choice, folder
from atlas.config.schema import (
    ClusterConfig,
    DreamConfig,
    ModelConfig,
    ProbeConfig,
    SaliencyConfig,
    SimilarityConfig,
    SweepConfig,
)
from atlas.records import MEASURES, SCOPES, Part

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def value_mistakes(config: SweepConfig) -> list[str]:
    """Everything that is wrong with the values themselves."""
    return [
        *_sweep(config),
        *model_mistakes(config),
        *metric_mistakes(config),
        *recipe_mistakes(config.recipe),
        *_cluster(config.cluster),
        *_report(config),
        *(mistake for name, probe in config.probes.items() for mistake in _probe(name, probe)),
        *_similarity(config.similarity),
    ]


def _sweep(config: SweepConfig) -> Iterator[str]:
    yield from choice("retry", config.retry, choices.RETRIES)
    yield from choice("trace", config.trace, choices.TRACES)
    if not NAME.fullmatch(config.name):
        yield f"name={config.name!r}: letters, digits and _.+- only, beginning with a letter or digit"
    if not config.seeds or min(config.seeds) < 0 or len(set(config.seeds)) < len(config.seeds):
        yield f"seeds={config.seeds}: a list of different whole numbers from 0 up is wanted"
    if config.retry == "broken" and config.cluster.part is not None:
        yield f"cluster.part={config.cluster.part}: retry=broken looks at all of an atlas; run it without a part"
    if config.calibrate and not config.dry_run:
        yield "calibrate=true: rates are measured for a plan; say dry_run=calibrate"


def model_mistakes(config: SweepConfig | SaliencyConfig | DreamConfig) -> Iterator[str]:
    """What is wrong with the models that a job names, before one of them is looked up."""
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


def metric_mistakes(config: SweepConfig | DreamConfig) -> Iterator[str]:
    """What is wrong with the metrics that a job names."""
    if not config.metrics:
        yield "metric=[]: name at least one metric"
    for name, metric in config.metrics.items():
        if name not in choices.METRICS:
            yield f"metric={name}: no such metric; {nearest(name, choices.METRICS)}"
        elif name != "mean" and (metric.constant is None or not math.isfinite(metric.constant)):
            yield f"metrics.{name}.constant={metric.constant}: a finite number is wanted"


def undivided(cluster: ClusterConfig) -> list[str]:
    """The mistake of naming a part where all of an atlas is needed, if it is made."""
    if cluster.part is None:
        return []
    return [f"cluster.part={cluster.part}: only generate and run can be divided; this needs all parts"]


def _report(config: SweepConfig) -> Iterator[str]:
    if "tensorboard" in config.report and "://" in config.out:
        yield f"report=tensorboard: its curves are written into the atlas's folder, and out={config.out} is none"
    for tracker in config.report:
        unknown = list(choice("report", tracker, choices.TRACKERS))
        yield from unknown
        if not unknown and lacks(tracker):
            yield f"report={tracker}: {tracker} is not installed: pip install {tracker}"


def _cluster(cluster: ClusterConfig) -> Iterator[str]:
    if cluster.part is not None:
        try:
            Part.parse(cluster.part)
        except ValueError as error:
            yield f"cluster.part={cluster.part}: {error}"
    yield from choice("cluster.kind", cluster.kind, choices.CLUSTERS)
    yield from choice("cluster.device", cluster.device, choices.DEVICES)
    yield from choice("cluster.compile", cluster.compile, choices.COMPILES)
    if cluster.kind in ("local", "ray") and lacks("ray"):
        yield f"cluster={cluster.kind}: Ray is not installed: {install('ray')}; cluster=inline does without it"
    if cluster.kind == "ray" and not cluster.address:
        yield "cluster.address is missing: cluster=ray joins a running cluster, as cluster.address=auto or host:6379"
    yield from _accelerator(cluster)
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


def _accelerator(cluster: ClusterConfig) -> Iterator[str]:
    names = ",".join(cluster.accelerator)
    if cluster.accelerator and cluster.kind != "ray":
        yield f"cluster.accelerator=[{names}]: only cluster=ray has nodes to choose from; this machine's cards are all alike"
    if cluster.accelerator and cluster.device == "cpu":
        yield f"cluster.accelerator=[{names}]: cluster.device=cpu needs no card; leave one of them out"
    for name in cluster.accelerator:
        if not NAME.fullmatch(name):
            yield f"cluster.accelerator: {name!r} is no name of a card; Ray labels nodes as H100, A100, L4, …"


def _probe(name: str, probe: ProbeConfig) -> Iterator[str]:
    where = f"probes.{name}"
    if not NAME.fullmatch(name):
        yield f"{where}: letters, digits and _.+- only, beginning with a letter or digit"
    yield from choice(f"{where}.kind", probe.kind, choices.PROBES)
    if probe.kind == "natural":
        yield from folder(f"{where}.folder", probe.folder)
    for key, least in (("count", 2), ("seed", 0), ("examples", 0)):
        yield from at_least(f"{where}.{key}", getattr(probe, key), least)


def _similarity(similarity: SimilarityConfig) -> Iterator[str]:
    yield from _names("similarity.measures", similarity.measures, MEASURES)
    yield from _names("similarity.scopes", similarity.scopes, SCOPES)
    for key, least in (("top", 1), ("bottom", 0), ("seed", 0)):
        yield from at_least(f"similarity.{key}", getattr(similarity, key), least)


def _names(where: str, given: list[str], allowed: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(given):
        yield from choice(where, name, allowed)
    if not given or len(set(given)) < len(given):
        yield f"{where}=[{','.join(given)}]: a list of different names is wanted, of {', '.join(allowed)}"
