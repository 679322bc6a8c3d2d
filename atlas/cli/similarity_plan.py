"""`atlas similarity dry_run=true`: what is left to look at and to compare, and what it would cost."""

import pyarrow as pa

from atlas.cli.tables import print_table
from atlas.config.schema import SweepConfig
from atlas.engine.progress import clock
from atlas.engine.stage import actor_count
from atlas.similarity.comparison import PAIR_COST
from atlas.similarity.job import pictures_by_probe
from atlas.similarity.probe.plan import missing_shards
from atlas.similarity.probe.settings import PictureShard
from atlas.similarity.source import read_source
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import device_of
from atlas.sweep.shards import RATE


def print_similarity_plan(config: SweepConfig) -> str:
    """Pictures, FLOPs and time by probe and model as a table on stdout; returns the sum of it in words."""
    held = read_source(AtlasPaths(config.out), {})
    if not held.features:
        return held.why_nothing()
    device = device_of(config, next(iter(held.cards.values())))
    actors = actor_count(config.cluster, device, held.gpus) or 1
    pictures = pictures_by_probe(config, held)
    shards = missing_shards(config, held, pictures, device)
    rows = [
        _row(
            [shard for shard in shards if (shard.probe, shard.model) == (probe, model)], probe, model, len(all_pictures)
        )
        for probe, all_pictures in pictures.items()
        for model in held.layers
    ]
    print_table(pa.Table.from_pylist(rows), "table")
    seconds = sum(shard.cost for shard in shards) / RATE[device] / actors
    pairs = sum(PAIR_COST * len(held.features) ** 2 * len(one) for one in pictures.values())
    return (
        f"{len(held.features):,} features of {config.out}: about {clock(seconds)} for the pictures and "
        f"{clock(pairs / RATE[device] / actors)} for the comparison on {actors} {device} actor{'s' * (actors != 1)}. "
        "Nothing was written."
    )


def _row(shards: list[PictureShard], probe: str, model: str, pictures: int) -> dict[str, object]:
    return {
        "probe": probe,
        "model": model,
        "pictures": pictures,
        "left": len({picture.id for shard in shards for picture in shard.items}),
        "shards": len(shards),
        "TFLOP": round(2 * sum(shard.cost for shard in shards) / 1e12, 3),
    }
