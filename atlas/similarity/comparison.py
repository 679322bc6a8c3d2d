"""The second half of similarity: makes neighbors, layers, matches,
maps and marks of the responses to a probe.
"""

import re
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from atlas.engine.drive import Ending
from atlas.engine.progress import Count
from atlas.engine.work import Work
from atlas.records import Shard
from atlas.similarity.atlas_images import Picture
from atlas.similarity.compare.bank import Bank, begin_bank, layers_left
from atlas.similarity.compare.begin import begin_comparison
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import Block, Comparison, blocks_of
from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.settings import BlockShard, CompareSettings
from atlas.similarity.measurement.begin import begin_measurement
from atlas.similarity.measurement.layer_tables import LayerTables
from atlas.similarity.measurement.settings import LayerShard, MeasurementSettings
from atlas.similarity.picture_labels import labels_by_model
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.stage_runner import StageRunner
from atlas.similarity.tables.examples import remove_copies, write_examples
from atlas.similarity.tables.write import replace_probe, write_results
from atlas.store.comparisons import forget_comparison
from atlas.store.files import remove_tree
from atlas.store.index import write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import MOMENTS, NAMES, QUALITY
from atlas.sweep.identity import fingerprint

BANK = re.compile(r"bank-[0-9a-f]{20}")
MEASURE_COST = 300  # multiply-adds of a channel and a picture besides the rotation: moments, ranks and files
PAIR_COST = 2.0  # multiply-adds of two features and a picture: the product, and all that is ranked besides


@dataclass(frozen=True)
class AnsweredProbe:
    """A probe whose pictures have been looked at: those that every layer has a response to."""

    name: str
    pictures: list[Picture]
    roles: PictureRoles


def compare_features(runner: StageRunner, probe: AnsweredProbe, mark: str) -> tuple[Ending, list[Path]]:
    """Write every table and map of a probe: how the comparison ended, and the files, none if it did not succeed.

    Nothing of the atlas is touched before all blocks are compared. What a run that is stopped or killed has measured
    and compared stays in staging/, and the next run goes on from there; of a comparison that fails nothing stays.

    mark: of all that reaches the tables.
    """
    folder = runner.paths.staging / f"bank-{mark}"
    _remove_other_banks(runner.paths, folder)
    try:
        ending, files = _compare_in(runner, probe, folder)
    except Exception:
        remove_tree(folder)
        raise
    if not ending.stopped:
        remove_tree(folder)
    return ending, files


def _remove_other_banks(paths: AtlasPaths, wanted: Path) -> None:
    """Remove what comparisons of other pictures, features or settings left when they were stopped."""
    for folder in paths.staging.glob("bank-*"):
        if folder != wanted and BANK.fullmatch(folder.name):
            remove_tree(folder)


def _compare_in(runner: StageRunner, probe: AnsweredProbe, folder: Path) -> tuple[Ending, list[Path]]:
    """The same, with a bank in a folder that may hold some of it already."""
    bank = begin_bank(folder, probe.roles)
    ending = _measure(runner, probe, bank)
    if ending.stopped or layers_left(bank):
        return ending, []
    blocks = blocks_of(bank.spans)
    files = [folder / block.file for block in blocks]
    ending = _compare(
        runner, bank, [block for block in blocks if not (folder / block.file).exists()], len(probe.pictures)
    )
    if ending.stopped or not all(file.exists() for file in files):
        return ending, []
    runner.publisher.lock.check()
    forget_comparison(runner.paths, probe.name)
    with closing(BlockResults(blocks, files)) as results:
        tables = write_results(runner.paths, probe.name, bank, results, runner.config.similarity)
        return ending, [*tables, *_write_layer_tables(runner, probe, bank)]


def _measure(runner: StageRunner, probe: AnsweredProbe, bank: Bank) -> Ending:
    """Have the layers measured that are not in the bank yet."""
    config = runner.config.probes[probe.name]
    settings = MeasurementSettings(
        root=runner.paths.root.absolute(),
        bank=bank.folder.absolute(),
        probe=probe.name,
        pictures=tuple(picture.id for picture in probe.pictures),
        roles=probe.roles,
        weights={name: card.provenance for name, card in runner.source.cards.items()},
        labels={} if bank.own_images else labels_by_model(runner.source, config, probe.name, probe.pictures),
        examples=config.examples,
        seed=runner.config.similarity.seed,
        device=runner.resources.device,
        nonce=runner.publisher.nonce,
    )
    pictures = len(probe.pictures)
    shards: list[Shard] = [
        LayerShard(
            fingerprint([bank.folder.name, span.name]),
            "the comparison",
            (span,),
            float(pictures * len(span) * (len(span) + MEASURE_COST)),
        )
        for span in layers_left(bank)
    ]
    return _run(runner, partial(begin_measurement, settings), shards, len(bank.spans), unit="layers")


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
    return _run(runner, partial(begin_comparison, settings), shards, len(blocks_of(bank.spans)), unit="blocks")


def _run(runner: StageRunner, work: Work, shards: list[Shard], total: int, *, unit: str) -> Ending:
    """Run a stage, if there is anything left to do in it."""
    return runner.run(work, shards, Count(total, len(shards), unit=unit)) if shards else Ending()


def _write_layer_tables(runner: StageRunner, probe: AnsweredProbe, bank: Bank) -> list[Path]:
    """Write what each layer's responses say: the marks of the atlas's own images, or names and examples."""
    paths = runner.paths
    by_layer = [LayerTables.read(bank.folder, number) for number in range(len(bank.spans))]
    moments = [layer.moments for layer in by_layer]
    replace_probe(paths.moments, pa.concat_tables([MOMENTS.empty_table(), *moments]), probe.name)
    if bank.own_images:
        quality = [layer.quality for layer in by_layer if layer.quality is not None]
        write_table(paths.quality, pa.concat_tables([QUALITY.empty_table(), *quality]))
        return [paths.quality, paths.moments]
    names = [layer.names for layer in by_layer if layer.names is not None]
    replace_probe(paths.names, pa.concat_tables([NAMES.empty_table(), *names]), probe.name)
    tops = [layer.tops for layer in by_layer if layer.tops is not None]
    if not tops:
        paths.probe_examples(probe.name).unlink(missing_ok=True)
        remove_copies(paths.probe_pictures(probe.name))
        return [paths.names, paths.moments]
    reader = PictureReader(runner.config.probes[probe.name], paths.root)
    weights = {name: card.provenance for name, card in runner.source.cards.items()}
    files = write_examples(paths, probe.name, probe.pictures, reader, tops=tops, weights=weights)
    return [paths.names, paths.moments, *files]
