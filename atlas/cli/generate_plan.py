"""`atlas generate dry_run=true`: what a sweep would make, and what it would cost."""

import pyarrow as pa

from atlas.cli.job_format import print_rows
from atlas.config.schema import SweepConfig
from atlas.engine.progress import clock
from atlas.engine.workers import actor_count
from atlas.sweep.plan import Plan, device_of
from atlas.sweep.shards import RATE

PNG_BYTES = 2.0  # of a pixel of an optimised image; measured on PatternNet's and GoogLeNet's


def print_plan(config: SweepConfig, plan: Plan) -> str:
    """Tasks, shards, bytes, FLOPs and hours by model as a table on stdout; returns their sum as a sentence."""
    rows = [_row(config, plan, name) for name in plan.cards]
    print_rows(pa.Table.from_pylist(rows))
    device, actors = _workers(config, plan)
    workers = f"{actors} {device} actor{'' if actors == 1 else 's'}"
    work = f"about {clock(plan.cost / RATE[device] / actors)} of work on {workers}"
    elsewhere = "; this machine shows no CUDA device" if device == "cuda" and not _gpus(plan) else ""
    return (
        f"{plan.tasks} images in {len(plan.shards)} shards into {config.out}: {work}, "
        f"at an assumed {RATE[device] / 1e9:g} G multiply-adds a second each{elsewhere}. Nothing was written."
    )


def _row(config: SweepConfig, plan: Plan, name: str) -> dict[str, object]:
    shards = [shard for shard in plan.shards if shard.model == name]
    images = sum(len(shard.items) for shard in shards)
    size = plan.recipes[name].octaves[-1].size or 0
    device, actors = _workers(config, plan)
    cost = sum(shard.cost for shard in shards)
    return {
        "model": name,
        "layers": len({shard.layer for shard in shards}),
        "images": images,
        "shards": len(shards),
        "pixels": size,
        "MB": _short(images * size * size * PNG_BYTES / 1e6),
        "TFLOP": _short(2 * cost / 1e12),
        "time": clock(cost / RATE[device] / actors),
    }


def _short(value: float) -> str:
    """Three significant digits, never with an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _workers(config: SweepConfig, plan: Plan) -> tuple[str, int]:
    """The device that the images would be made on, and how many actors would share the work."""
    device = device_of(config, next(iter(plan.cards.values())))
    return device, actor_count(config.cluster, device, _gpus(plan)) or 1


def _gpus(plan: Plan) -> int:
    """CUDA devices that this machine shows."""
    return next(iter(plan.cards.values())).gpus
