"""The first half of similarity: every picture of every probe through every model of the atlas, resumed from what is there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from atlas.config.schema import SweepConfig
from atlas.records import Layer, ModelCard, Shard
from atlas.run.drive import Ending
from atlas.run.progress import Count
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.begin import begin_probe
from atlas.similarity.probe.responses import Left, left_to_probe
from atlas.similarity.probe.settings import PictureShard, ProbeSettings
from atlas.similarity.source import Source
from atlas.similarity.stage_runner import Job
from atlas.sweep.identity import fingerprint
from atlas.sweep.shards import RATE

MOST = 2048  # pictures of one shard: what is lost when its actor dies, and how many rows a file has


@dataclass
class ProbeOutcome:
    """What came of the pictures."""

    ending: Ending = field(default_factory=Ending)
    looked: int = 0  # pictures that were looked at now, once for each model
    probes: set[str] = field(default_factory=set)  # those of which some picture had been left


def probe_left(job: Job, pictures: Mapping[str, Sequence[Picture]]) -> ProbeOutcome:
    """Look at what is left of each probe's pictures, with every model."""
    shards = left_shards(job.config, job.held, pictures, job.place.device)
    if not shards:
        return ProbeOutcome()
    left = sum(len(shard.items) for shard in shards)
    total = max(left, len(job.held.layers) * sum(map(len, pictures.values())))
    count = Count(total, left, unit="pictures")
    settings = ProbeSettings(
        root=job.paths.root.absolute(),
        models=job.held.models,
        cards=job.held.cards,
        probes=job.config.probes,
        device=job.place.device,
        cluster=job.config.cluster,
        nonce=job.keeper.nonce,
    )
    ending = job.run(partial(begin_probe, settings), list[Shard](shards), count)
    return ProbeOutcome(ending, count.done, {shard.probe for shard in shards})


def left_shards(
    config: SweepConfig, held: Source, pictures: Mapping[str, Sequence[Picture]], device: str
) -> list[PictureShard]:
    """What is left to look at, cut into about as much as an actor should hold."""
    most = config.cluster.shard_seconds * RATE[device]
    return [
        shard
        for probe, all_pictures in pictures.items()
        for model in held.layers
        for layers, wanted in _left(held, probe, model, all_pictures).items()
        for shard in _shards(held.cards[model], probe, layers, wanted, most)
    ]


def unanswered(job: Job, probe: str, pictures: Sequence[Picture]) -> set[str]:
    """Pictures that some layer has not told of: they could not be read, or their model could not be loaded."""
    return {
        picture.id
        for model in job.held.layers
        for left in _left(job.held, probe, model, pictures).values()
        for picture in left
    }


def _left(held: Source, probe: str, model: str, pictures: Sequence[Picture]) -> Left:
    weights, layers = held.cards[model].provenance, held.layers[model]
    return left_to_probe(held.paths, probe, model, weights=weights, layers=layers, pictures=pictures)


def _shards(
    card: ModelCard, probe: str, layers: tuple[str, ...], pictures: list[Picture], most: float
) -> Iterator[PictureShard]:
    deepest = max((layer for layer in card.layers if layer.name in layers), key=lambda layer: layer.macs)
    for run in _cut(pictures, deepest, most):
        name = fingerprint([probe, card.provenance, layers, [picture.id for picture in run]])
        cost = sum(_cost(picture, deepest) for picture in run)
        yield PictureShard(name, card.name, tuple(run), cost, probe=probe, layers=layers)


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
