"""The second half of similarity: from the responses to a probe to neighbors, layers, matches, maps and marks."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from atlas.records import Address, Shard
from atlas.run.drive import Ending
from atlas.run.progress import Count
from atlas.similarity.atlas_images import Picture
from atlas.similarity.compare.bank import Bank, Facts, LayerSpan, Pictures, write_bank
from atlas.similarity.compare.begin import begin_comparison
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import Block, Comparison, blocks_of
from atlas.similarity.compare.settings import BlockShard, CompareSettings
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.probe.responses import read_layer
from atlas.similarity.stage_runner import Job
from atlas.similarity.tables.examples import TopPictures, most_driving, write_examples
from atlas.similarity.tables.quality import Marks, marks
from atlas.similarity.tables.write import write_quality, write_results
from atlas.store.comparisons import forget_comparison
from atlas.sweep.identity import fingerprint

EACH = 2.0  # multiply-adds of a pair of features and a picture: the product, and all that is ranked besides


@dataclass
class AnsweredProbe:
    """A probe whose pictures have been looked at: those that every layer has told of."""

    name: str
    features: list[str]
    pictures: list[Picture]
    standing: Pictures


@dataclass
class _LayerFindings:
    """What is kept of each layer while the bank is written."""

    marks: list[Marks] = field(default_factory=list)
    most: list[TopPictures] = field(default_factory=list)


def compare_features(job: Job, probed: AnsweredProbe, mark: str) -> tuple[Ending, list[Path]]:
    """Write every table and map of a probe: how the comparison ended, and the files, none if it did not succeed.

    Nothing of the atlas is touched before all blocks are compared.
    """
    folder = job.paths.staging / f"bank-{mark}"
    try:
        seen = _LayerFindings()
        bank = _write_bank(job, probed, folder, seen)
        ending, blocks = _compare(job, bank, len(probed.pictures))
        files = [folder / block.file for block in blocks]
        if ending.stopped or not all(file.exists() for file in files):
            return ending, []
        job.keeper.lock.check()
        forget_comparison(job.paths, probed.name)
        found = BlockResults(blocks, files)
        try:
            return ending, [
                *write_results(job.paths, probed.name, bank, found, job.config.similarity),
                *_kept(job, probed, seen),
            ]
        finally:
            found.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kept(job: Job, probed: AnsweredProbe, seen: _LayerFindings) -> list[Path]:
    """Write what was found while the bank was written: the marks of the atlas's own images, or examples."""
    if probed.standing.own_images:
        features = [picture.feature for picture in probed.pictures]
        write_quality(job.paths, [picture.id for picture in probed.pictures], features, seen.marks)
        return [job.paths.quality]
    if not seen.most:
        job.paths.probe_examples(probed.name).unlink(missing_ok=True)
        shutil.rmtree(job.paths.probe_pictures(probed.name), ignore_errors=True)
        return []
    reader = PictureReader(job.config.probes[probed.name], job.paths.root)
    return write_examples(job.paths, probed.name, probed.pictures, reader, seen.most)


def _write_bank(job: Job, probed: AnsweredProbe, folder: Path, seen: _LayerFindings) -> Bank:
    place = {picture.id: number for number, picture in enumerate(probed.pictures)}
    kept = job.config.probes[probed.name].examples

    def responses(panel: LayerSpan) -> np.ndarray:
        return _read(job, probed, panel, place)

    def look(panel: LayerSpan, values: np.ndarray, facts: Facts) -> None:
        if probed.standing.own_images:
            seen.marks.append(marks(panel, values, facts, probed.standing.made))
        elif kept:
            peaks = _read(job, probed, panel, place, column="max")
            seen.most.append(most_driving(probed.features[panel.features], values, peaks, kept, alive=facts.alive))

    return write_bank(folder, probed.features, probed.standing, responses, seed=job.config.similarity.seed, look=look)


def _read(
    job: Job, probed: AnsweredProbe, panel: LayerSpan, place: Mapping[str, int], column: str = "mean"
) -> np.ndarray:
    return read_layer(
        job.paths,
        probed.name,
        panel.model,
        panel.layer,
        weights=job.held.cards[panel.model].provenance,
        place=place,
        channels=[Address.parse(address).channel for address in probed.features[panel.features]],
        column=column,
    )


def _compare(job: Job, bank: Bank, pictures: int) -> tuple[Ending, Sequence[Block]]:
    asked = job.config.similarity
    settings = CompareSettings(
        root=job.paths.root.absolute(),
        bank=bank.folder.absolute(),
        comparison=Comparison(tuple(asked.measures), tuple(asked.scopes), asked.top, asked.bottom),
        device=job.place.device,
        nonce=job.keeper.nonce,
    )
    blocks = blocks_of(bank.panels)
    each = EACH * len(bank.addresses) * pictures
    shards = [
        BlockShard(
            fingerprint([bank.folder.name, block.start]), "the comparison", (block,), each * (block.stop - block.start)
        )
        for block in blocks
    ]
    return job.run(
        partial(begin_comparison, settings), list[Shard](shards), Count(len(shards), len(shards), unit="blocks")
    ), blocks
