"""`atlas generate dry_run=true`: what a sweep would make, and what it would cost."""

from collections.abc import Mapping

import pyarrow as pa

from atlas.cli.job_format import print_rows
from atlas.config.schema import SweepConfig
from atlas.engine.progress import clock
from atlas.engine.survey import expected_actors
from atlas.sweep.compilation import Layers, compiled_layers
from atlas.sweep.plan import Plan, device_of
from atlas.sweep.shards import RATE

PNG_BYTES = 2.0  # of a pixel of an optimised image; measured on PatternNet's and GoogLeNet's


def print_plan(config: SweepConfig, plan: Plan, measured: Mapping[tuple[str, str], float] | None = None) -> str:
    """Tasks, shards, bytes, FLOPs and hours by model as a table on stdout; returns their sum as a sentence.

    measured: seconds of an image by model and layer; None: a rate is assumed.
    """
    device, actors = _workers(config, plan)
    seconds = {name: _seconds(plan, name, device, measured) / actors for name in plan.cards}
    compiled = compiled_layers(config.cluster.compile, plan, device)
    rows = [_row(plan, name, seconds[name], compiled) for name in plan.cards]
    print_rows(pa.Table.from_pylist(rows))
    workers = f"{actors} {device} actor{'' if actors == 1 else 's'}"
    work = f"about {clock(sum(seconds.values()))} of work on {workers}"
    elsewhere = "; this machine shows no CUDA device" if device == "cuda" and not _gpus(plan) else ""
    assumed = f"an assumed {RATE[device] / 1e9:g} G multiply-adds a second each (dry_run=calibrate measures it)"
    rate = assumed if measured is None else "the rates that one worker has just shown on this machine"
    return (
        f"{plan.tasks} images in {len(plan.shards)} shards into {config.out}: {work}, at {rate}{elsewhere}. "
        "Nothing was written."
    )


def _seconds(plan: Plan, name: str, device: str, measured: Mapping[tuple[str, str], float] | None) -> float:
    """Of one worker, for all images of a model."""
    shards = [shard for shard in plan.shards if shard.model == name]
    if measured is None:
        return sum(shard.cost for shard in shards) / RATE[device]
    return sum(len(shard.items) * measured[name, shard.layer] for shard in shards)


def _row(plan: Plan, name: str, seconds: float, compiled: Layers) -> dict[str, object]:
    shards = [shard for shard in plan.shards if shard.model == name]
    images = sum(len(shard.items) for shard in shards)
    size = plan.recipes[name].octaves[-1].size or 0
    cost = sum(shard.cost for shard in shards)
    return {
        "model": name,
        "layers": len({shard.layer for shard in shards}),
        "images": images,
        "shards": len(shards),
        "pixels": size,
        "precision": plan.recipes[name].precision,
        "compiled": sum(model == name for model, _ in compiled),
        "MB": _short(images * size * size * PNG_BYTES / 1e6),
        "TFLOP": _short(2 * cost / 1e12),
        "time": clock(seconds),
    }


def _short(value: float) -> str:
    """Three significant digits, never with an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _workers(config: SweepConfig, plan: Plan) -> tuple[str, int]:
    """The device that the images would be made on, and how many actors would share the work."""
    device = device_of(config, next(iter(plan.cards.values())))
    return device, expected_actors(config.cluster, device, _gpus(plan))


def _gpus(plan: Plan) -> int:
    """CUDA devices that this machine shows."""
    return next(iter(plan.cards.values())).gpus
