"""What `atlas generate` was asked for, written into atlas.json, plans/ and config/ before any work begins."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from omegaconf import OmegaConf

from atlas.config.schema import SweepConfig
from atlas.generate.rows import task_columns
from atlas.store.classes import write_classes
from atlas.store.files import write_bytes
from atlas.store.index import Row
from atlas.store.manifest import new_manifest, now, read_manifest, write_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.plans import write_plan
from atlas.sweep.identity import fingerprint
from atlas.sweep.plan import Plan

Manifest = dict[str, Any]


def record_request(paths: AtlasPaths, config: SweepConfig, plan: Plan, overrides: list[str]) -> Manifest:
    """Write down what is asked; the manifest as it now stands. Nothing changes when the same was asked before."""
    stamp = datetime.now().strftime("%Y-%m-%dT%H-%M-%S-%f")
    write_bytes(paths.config / stamp / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(config)).encode())
    write_bytes(paths.config / stamp / "overrides.yaml", OmegaConf.to_yaml(overrides).encode())
    manifest = read_manifest(paths.manifest) if paths.manifest.exists() else new_manifest(config.name)
    write_classes(paths.classes, plan.cards.values())
    plan_id = fingerprint([shard.id for shard in plan.shards])
    if plan_id in {asked["plan"] for asked in manifest["asked"]}:
        return manifest
    write_plan(paths.plans / f"{plan_id}.parquet", _plan_rows(plan))
    manifest = _with_variants(manifest, config, plan)
    manifest = {**manifest, "asked": [*manifest["asked"], _asked(plan_id, config, plan)]}
    write_manifest(paths.manifest, manifest)
    return manifest


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


def _asked(plan_id: str, config: SweepConfig, plan: Plan) -> Manifest:
    return {
        "plan": plan_id,
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
