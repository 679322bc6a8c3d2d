"""The first half of similarity: every picture of a probe through every model of the atlas, resumed from what is there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from atlas.records import Layer, ModelCard, Shard
from atlas.run.drive import Ending
from atlas.run.job import Job
from atlas.run.progress import Count
from atlas.run.work import PictureShard, ResponseWork
from atlas.similarity.probes import Picture
from atlas.similarity.responses import left_to_probe
from atlas.sweep.identity import fingerprint
from atlas.sweep.shards import RATE

MOST = 2048  # pictures of one shard: what is lost when its actor dies, and how many rows a file has


@dataclass
class Probing:
    """What came of a probe's pictures."""

    ending: Ending = field(default_factory=Ending)
    looked: int = 0  # pictures that were looked at now, once for each model
    unread: int = 0  # that could not be


def probe_left(job: Job, probe: str, pictures: list[Picture], layers: dict[str, list[str]]) -> Probing:
    """Look at what is left. layers: those that each model is to tell of."""
    shards = [shard for model in layers for shard in _shards(job, probe, pictures, model, layers[model])]
    if not shards:
        return Probing()
    left = sum(len(shard.items) for shard in shards)
    count = Count(max(left, len(pictures) * len(layers)), left, unit="pictures")
    work = ResponseWork(
        root=job.paths.root.absolute(),
        models=job.models,
        cards=job.cards,
        probes=job.config.probes,
        device=job.place.device,
        cluster=job.config.cluster,
        nonce=job.keeper.nonce,
    )
    ending = job.run(work, list[Shard](shards), count)
    return Probing(ending, count.done, count.failed)


def _shards(job: Job, probe: str, pictures: list[Picture], model: str, layers: list[str]) -> Iterator[PictureShard]:
    card = job.cards[model]
    left = left_to_probe(job.paths, probe, model, weights=card.provenance, layers=layers, pictures=pictures)
    for missing, wanted in left.items():
        deepest = max((layer for layer in card.layers if layer.name in missing), key=lambda layer: layer.macs)
        for run in _cut(wanted, deepest, job.config.cluster.shard_seconds * RATE[job.place.device]):
            name = fingerprint([probe, card.provenance, missing, [picture.id for picture in run]])
            cost = sum(_cost(picture, deepest) for picture in run)
            yield PictureShard(name, model, tuple(run), cost, probe=probe, layers=missing)


def _cut(pictures: list[Picture], deepest: Layer, most: float) -> Iterator[list[Picture]]:
    """Consecutive pictures of about as much work as an actor should hold."""
    run: list[Picture] = []
    held = 0.0
    for picture in pictures:
        cost = _cost(picture, deepest)
        if run and (held + cost > most or len(run) == MOST):
            yield run
            run, held = [], 0.0
        run.append(picture)
        held += cost
    if run:
        yield run


def _cost(picture: Picture, deepest: Layer) -> float:
    return max(deepest.macs, 1) * picture.scale**2
