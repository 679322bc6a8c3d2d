"""The second half of similarity: makes neighbors, layers, matches,
maps and marks of the responses to a probe.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.engine.drive import Ending
from atlas.engine.progress import Count
from atlas.records import Address, Shard
from atlas.similarity.atlas_images import Picture
from atlas.similarity.compare.bank import Bank, write_bank
from atlas.similarity.compare.begin import begin_comparison
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import Block, Comparison, blocks_of
from atlas.similarity.compare.facts import Facts, PictureRoles
from atlas.similarity.compare.settings import BlockShard, CompareSettings
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.picture_labels import labels_by_model
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.probe.responses import read_layer
from atlas.similarity.stage_runner import StageRunner
from atlas.similarity.tables.examples import TopPictures, most_driving, remove_copies, write_examples
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.similarity.tables.moments import moment_rows
from atlas.similarity.tables.names import name_rows
from atlas.similarity.tables.quality import Marks, marks, write_quality
from atlas.similarity.tables.write import replace_probe, write_results
from atlas.store.comparisons import forget_comparison
from atlas.store.files import remove_tree
from atlas.store.similarity_tables import MOMENTS, NAMES
from atlas.sweep.identity import fingerprint

PAIR_COST = 2.0  # multiply-adds of two features and a picture: the product, and all that is ranked besides


@dataclass(frozen=True)
class AnsweredProbe:
    """A probe whose pictures have been looked at: those that every layer has a response to."""

    name: str
    pictures: list[Picture]
    roles: PictureRoles


@dataclass
class _ByLayer:
    """What is kept of each layer while the bank is written."""

    marks: list[Marks] = field(default_factory=list)
    tops: list[TopPictures] = field(default_factory=list)
    names: list[pa.Table] = field(default_factory=list)
    moments: list[pa.Table] = field(default_factory=list)


def compare_features(runner: StageRunner, probe: AnsweredProbe, mark: str) -> tuple[Ending, list[Path]]:
    """Write every table and map of a probe: how the comparison ended, and the files, none if it did not succeed.

    Nothing of the atlas is touched before all blocks are compared.
    """
    folder = runner.paths.staging / f"bank-{mark}"
    try:
        by_layer = _ByLayer()
        bank = _write_bank(runner, probe, folder, by_layer)
        blocks = blocks_of(bank.spans)
        ending = _compare(runner, bank, blocks, len(probe.pictures))
        files = [folder / block.file for block in blocks]
        if ending.stopped or not all(file.exists() for file in files):
            return ending, []
        runner.publisher.lock.check()
        forget_comparison(runner.paths, probe.name)
        with closing(BlockResults(blocks, files)) as results:
            tables = write_results(runner.paths, probe.name, bank, results, runner.config.similarity)
            return ending, [*tables, *_write_by_layer(runner, probe, by_layer)]
    finally:
        remove_tree(folder)


def _write_bank(runner: StageRunner, probe: AnsweredProbe, folder: Path, by_layer: _ByLayer) -> Bank:
    rows = {picture.id: row for row, picture in enumerate(probe.pictures)}
    config = runner.config.probes[probe.name]
    labels = {} if probe.roles.own_images else labels_by_model(runner.source, config, probe.name, probe.pictures)

    def responses(span: LayerSpan) -> np.ndarray:
        return _read(runner, probe, span, rows)

    def look(span: LayerSpan, values: np.ndarray, facts: Facts) -> None:
        features = LayerFeatures(
            probe=probe.name,
            weights=runner.source.cards[span.model].provenance,
            addresses=tuple(probe.roles.features[span.features]),
            alive=facts.alive,
        )
        by_layer.moments.append(moment_rows(features, facts, values))
        if probe.roles.own_images:
            by_layer.marks.append(marks(span, values, facts, probe.roles.made_for))
            return
        by_layer.names.append(name_rows(features, values, labels[span.model]))
        if config.examples:
            maxima = _read(runner, probe, span, rows, column="max")
            addresses = list(features.addresses)
            by_layer.tops.append(most_driving(addresses, values, maxima, config.examples, alive=facts.alive))

    return write_bank(folder, probe.roles, responses, seed=runner.config.similarity.seed, look=look)


def _read(
    runner: StageRunner, probe: AnsweredProbe, span: LayerSpan, rows: Mapping[str, int], column: str = "mean"
) -> np.ndarray:
    return read_layer(
        runner.paths.layer_responses(probe.name, span.model, span.layer),
        rows,
        [Address.parse(address).channel for address in probe.roles.features[span.features]],
        weights=runner.source.cards[span.model].provenance,
        column=column,
    )


def _compare(runner: StageRunner, bank: Bank, blocks: list[Block], pictures: int) -> Ending:
    """Have every block compared with the bank."""
    config = runner.config.similarity
    settings = CompareSettings(
        root=runner.paths.root.absolute(),
        bank=bank.folder.absolute(),
        comparison=Comparison(tuple(config.measures), tuple(config.scopes), config.top, config.bottom),
        device=runner.resources.device,
        nonce=runner.publisher.nonce,
    )
    feature_cost = PAIR_COST * len(bank.addresses) * pictures
    shards: list[Shard] = [
        BlockShard(
            fingerprint([bank.folder.name, block.start]),
            "the comparison",
            (block,),
            feature_cost * (block.stop - block.start),
        )
        for block in blocks
    ]
    return runner.run(partial(begin_comparison, settings), shards, Count(len(shards), len(shards), unit="blocks"))


def _write_by_layer(runner: StageRunner, probe: AnsweredProbe, by_layer: _ByLayer) -> list[Path]:
    """Write what was kept while the bank was written: the marks of the atlas's own images, or names and examples."""
    paths = runner.paths
    replace_probe(paths.moments, pa.concat_tables([MOMENTS.empty_table(), *by_layer.moments]), probe.name)
    if probe.roles.own_images:
        write_quality(paths, probe.pictures, by_layer.marks)
        return [paths.quality, paths.moments]
    replace_probe(paths.names, pa.concat_tables([NAMES.empty_table(), *by_layer.names]), probe.name)
    if not by_layer.tops:
        paths.probe_examples(probe.name).unlink(missing_ok=True)
        remove_copies(paths.probe_pictures(probe.name))
        return [paths.names, paths.moments]
    reader = PictureReader(runner.config.probes[probe.name], paths.root)
    weights = {name: card.provenance for name, card in runner.source.cards.items()}
    files = write_examples(paths, probe.name, probe.pictures, reader, tops=by_layer.tops, weights=weights)
    return [paths.names, paths.moments, *files]
