"""The first half of similarity: every picture of every probe through every model of the atlas,
resumed from what is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from atlas.config.schema import SweepConfig
from atlas.engine.drive import Ending
from atlas.engine.progress import Count
from atlas.records import Layer, ModelCard, Shard
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.begin import begin_probe
from atlas.similarity.probe.responses import MissingPictures, missing_pictures
from atlas.similarity.probe.settings import PictureShard, ProbeSettings
from atlas.similarity.source import Source
from atlas.similarity.stage_runner import StageRunner
from atlas.sweep.identity import fingerprint
from atlas.sweep.shards import RATE

SHARD_PICTURES = 2048  # at most: what is lost when its actor dies, and how many rows a file has


@dataclass
class ProbeOutcome:
    """What became of the pictures."""

    ending: Ending = field(default_factory=Ending)
    looked: int = 0  # pictures that were looked at now, once for each model
    probes: set[str] = field(default_factory=set)  # those of which some picture was missing


def probe_missing(runner: StageRunner, pictures: Mapping[str, Sequence[Picture]]) -> ProbeOutcome:
    """Have every model look at those of each probe's pictures whose responses are missing."""
    shards = missing_shards(runner.config, runner.source, pictures, runner.resources.device)
    if not shards:
        return ProbeOutcome()
    missing = sum(len(shard.items) for shard in shards)
    total = max(missing, len(runner.source.layers) * sum(map(len, pictures.values())))
    count = Count(total, missing, unit="pictures")
    settings = ProbeSettings(
        root=runner.paths.root.absolute(),
        models=runner.source.models,
        cards=runner.source.cards,
        probes=runner.config.probes,
        device=runner.resources.device,
        cluster=runner.config.cluster,
        nonce=runner.publisher.nonce,
    )
    ending = runner.run(partial(begin_probe, settings), list[Shard](shards), count)
    return ProbeOutcome(ending, count.done, {shard.probe for shard in shards})


def missing_shards(
    config: SweepConfig, source: Source, pictures: Mapping[str, Sequence[Picture]], device: str
) -> list[PictureShard]:
    """The pictures whose responses are missing, cut into about as much work as an actor should hold."""
    most = config.cluster.shard_seconds * RATE[device]
    return [
        shard
        for probe, all_pictures in pictures.items()
        for model in source.layers
        for layers, wanted in _missing(source, probe, model, all_pictures).items()
        for shard in _shards(source.cards[model], probe, layers, wanted, most)
    ]


def unanswered(source: Source, probe: str, pictures: Sequence[Picture]) -> set[str]:
    """Pictures without a response of some layer: they could not be read, or their model could not be loaded."""
    return {
        picture.id
        for model in source.layers
        for missing in _missing(source, probe, model, pictures).values()
        for picture in missing
    }


def _missing(source: Source, probe: str, model: str, pictures: Sequence[Picture]) -> MissingPictures:
    folders = {layer: source.paths.layer_responses(probe, model, layer) for layer in source.layers[model]}
    return missing_pictures(folders, pictures, source.cards[model].provenance)


def _shards(
    card: ModelCard, probe: str, layers: tuple[str, ...], pictures: list[Picture], most: float
) -> Iterator[PictureShard]:
    deepest = max((layer for layer in card.every if layer.name in layers), key=lambda layer: layer.macs)
    for run in _cut(pictures, deepest, most):
        name = fingerprint([probe, card.provenance, layers, [picture.id for picture in run]])
        cost = sum(_cost(picture, deepest) for picture in run)
        yield PictureShard(name, card.name, tuple(run), cost, probe=probe, layers=layers)


def _cut(pictures: list[Picture], deepest: Layer, most: float) -> Iterator[list[Picture]]:
    """Consecutive pictures of about as much work as an actor should hold."""
    run: list[Picture] = []
    work = 0.0
    for picture in pictures:
        cost = _cost(picture, deepest)
        if run and (work + cost > most or len(run) == SHARD_PICTURES):
            yield run
            run, work = [], 0.0
        run.append(picture)
        work += cost
    if run:
        yield run


def _cost(picture: Picture, deepest: Layer) -> float:
    return max(deepest.macs, 1) * picture.scale**2
