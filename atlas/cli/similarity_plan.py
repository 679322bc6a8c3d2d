"""`atlas similarity dry_run=true`: what is left to look at and to compare, and what it would cost."""

import pyarrow as pa

from atlas.cli.job_format import print_rows
from atlas.config.schema import SweepConfig
from atlas.engine.progress import clock
from atlas.engine.survey import expected_actors
from atlas.similarity.comparison import PAIR_COST
from atlas.similarity.job import pictures_by_probe
from atlas.similarity.probe.plan import missing_shards
from atlas.similarity.probe.settings import PictureShard
from atlas.similarity.source import read_source
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import device_of
from atlas.sweep.shards import RATE


def print_similarity_plan(config: SweepConfig) -> str:
    """Pictures, FLOPs and time by probe and model as a table on stdout; returns their sum as a sentence."""
    source = read_source(AtlasPaths(config.out), {})
    if not source.features:
        return source.why_nothing()
    device = device_of(config, next(iter(source.cards.values())))
    actors = expected_actors(config.cluster, device, source.gpus)
    pictures = pictures_by_probe(config, source)
    shards = missing_shards(config, source, pictures, device)
    rows = [_row(shards, probe, model, len(pictures[probe])) for probe in pictures for model in source.layers]
    print_rows(pa.Table.from_pylist(rows))
    seconds = sum(shard.cost for shard in shards) / RATE[device] / actors
    pairs = sum(PAIR_COST * len(source.features) ** 2 * len(group) for group in pictures.values())
    return (
        f"{len(source.features):,} features of {config.out}: about {clock(seconds)} for the pictures and "
        f"{clock(pairs / RATE[device] / actors)} for the comparison on {actors} {device} actor{'s' * (actors != 1)}. "
        "Nothing was written."
    )


def _row(shards: list[PictureShard], probe: str, model: str, pictures: int) -> dict[str, object]:
    """What is left of one probe's pictures for one model."""
    shards = [shard for shard in shards if (shard.probe, shard.model) == (probe, model)]
    return {
        "probe": probe,
        "model": model,
        "pictures": pictures,
        "left": len({picture.id for shard in shards for picture in shard.items}),
        "shards": len(shards),
        "TFLOP": round(2 * sum(shard.cost for shard in shards) / 1e12, 3),
    }
