"""What `atlas generate` was asked for, written into atlas.json, plans/ and config/ before any work begins."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from omegaconf import OmegaConf

from atlas.config.mistakes import ConfigError
from atlas.config.schema import RecipeConfig, SweepConfig
from atlas.generate.rows import task_columns
from atlas.store.classes import write_classes
from atlas.store.files import write_bytes
from atlas.store.index import Row
from atlas.store.manifest import NotAnAtlas, new_manifest, now, read_manifest, write_manifest
from atlas.store.output import atlas_mistakes
from atlas.store.paths import AtlasPaths
from atlas.store.plans import is_whole_plan, write_plan
from atlas.store.saved_manifest import save_manifest, saved_manifests, whole_manifest
from atlas.sweep.plan import Plan

Manifest = dict[str, Any]


def open_or_begin(paths: AtlasPaths, name: str) -> list[str]:
    """See to it that there is a manifest before anything else is written; notes on what was amiss with it.

    ConfigError: the folder holds something else, or an atlas whose manifest cannot be put back.
    """
    if mistakes := atlas_mistakes(str(paths.root)):
        raise ConfigError(mistakes)
    manifest, note = whole_manifest(paths)
    if manifest is None:
        write_manifest(paths.manifest, new_manifest(name))
    return [] if note is None else [note]


def record_request(paths: AtlasPaths, config: SweepConfig, plan: Plan, overrides: list[str]) -> Manifest:
    """Write down what is asked; the manifest as it now stands. Its plan is written anew where it is not whole."""
    invocation = paths.config / datetime.now().strftime("%Y-%m-%dT%H-%M-%S-%f")
    write_bytes(invocation / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(config)).encode())
    write_bytes(invocation / "overrides.yaml", OmegaConf.to_yaml(overrides).encode())
    write_classes(paths.classes, plan.cards.values())
    path = paths.plans / f"{plan.id}.parquet"
    if not is_whole_plan(path, plan.tasks):
        write_plan(path, _plan_rows(plan))
    manifest = read_manifest(paths.manifest)
    if plan.id not in {asked["plan"] for asked in manifest["asked"]}:
        manifest = _with_variants(manifest, config, plan)
        manifest = {**manifest, "asked": [*manifest["asked"], _asked(config, plan)]}
    save_manifest(paths, invocation, manifest)
    return manifest


def as_held(paths: AtlasPaths, recipe: RecipeConfig) -> RecipeConfig:
    """The recipe, precision=auto as the atlas has it already: its images stay comparable, and none is made twice."""
    held = _held_precision(paths, recipe.name) if recipe.precision == "auto" else None
    return recipe if held is None else replace(recipe, precision=held)


def _held_precision(paths: AtlasPaths, recipe: str) -> str | None:
    """The precision of the images that an atlas was first asked for by a recipe; None where there are none."""
    try:
        manifests = [read_manifest(paths.manifest)]
    except NotAnAtlas:
        manifests = saved_manifests(paths)
    variants = [variant for manifest in manifests[:1] for variant in manifest["variants"]]
    return next((variant["settings"].get("precision") for variant in variants if variant["recipe"] == recipe), None)


def default_variants(manifest: Manifest) -> frozenset[str]:
    """The variants whose images have plain names: the first of each model and metric that the atlas was asked for."""
    first: dict[tuple[str, str], str] = {}
    for variant in manifest["variants"]:
        first.setdefault((variant["model"], variant["metric"]), variant["variant"])
    return frozenset(first.values())


def mixture(manifest: Manifest) -> list[str]:
    """A line for each model and metric of which the atlas holds more than one variant."""
    groups: dict[tuple[str, str], list[Manifest]] = {}
    for variant in manifest["variants"]:
        groups.setdefault((variant["model"], variant["metric"]), []).append(variant)
    return [
        f"this atlas holds {len(variants)} variants of {model} {metric}: "
        + "; ".join(f"{v['recipe']} with weights {v['weights']} ({v['variant'][:6]})" for v in variants)
        for (model, metric), variants in groups.items()
        if len(variants) > 1
    ]


def _with_variants(manifest: Manifest, config: SweepConfig, plan: Plan) -> Manifest:
    ids = {variant["variant"] for variant in manifest["variants"]}
    new: dict[str, Manifest] = {}
    for shard in plan.shards:
        if shard.variant not in ids:
            card, recipe = plan.cards[shard.model], plan.recipes[shard.model]
            new[shard.variant] = {
                "variant": shard.variant,
                "model": shard.model,
                "metric": shard.metric,
                "constant": config.metrics[shard.metric].constant,
                "weights": card.provenance,
                "recipe": recipe.name,
                "settings": asdict(recipe),
            }
    weights = {**manifest["weights"], **{f"{c.name}@{c.digest}": c.weights for c in plan.cards.values()}}
    return {**manifest, "weights": weights, "variants": [*manifest["variants"], *new.values()]}


def _asked(config: SweepConfig, plan: Plan) -> Manifest:
    return {
        "plan": plan.id,
        "when": now(),
        "models": list(config.models),
        "layers": config.layers,
        "channels": config.channels,
        "metrics": list(config.metrics),
        "target": config.target,
        "recipe": config.recipe.name,
        "seeds": config.seeds,
        "tasks": plan.tasks,
    }


def _plan_rows(plan: Plan) -> Iterator[Row]:
    for shard in plan.shards:
        card, recipe = plan.cards[shard.model], plan.recipes[shard.model]
        for item in shard.items:
            yield task_columns(shard, item, card, recipe) | {"shard": shard.id}
