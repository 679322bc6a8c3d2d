"""Makes all tables of planted or measured responses in this process, with its files in a temporary folder."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from atlas.records import MEASURES
from atlas.selftest.planted import Planted
from atlas.similarity.compare.bank import Bank, write_bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import BLOCK_FEATURES, Comparison, blocks_of
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.compare.facts import Facts
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.tables.layer_pairs import layer_table
from atlas.similarity.tables.matches import match_table
from atlas.similarity.tables.neighbors import neighbor_table
from atlas.similarity.tables.quality import Marks, marks

PROBE = "planted"
ALL_FEATURES = Comparison(MEASURES, ("all",), top=5, bottom=2)

# source, sign and rank → who stands there, the source's rank in its list, and whether it stands in it
Ranks = dict[tuple[str, int, int], tuple[str, int | None, bool]]


@dataclass(frozen=True)
class Tables:
    """The tables of a comparison."""

    neighbors: dict[tuple[str, str], pa.Table]  # by scope and measure
    layers: pa.Table
    matches: pa.Table
    marks: dict[str, Marks]  # by `model/layer`


def compare(
    data: Planted, comparison: Comparison = ALL_FEATURES, *, most: int = BLOCK_FEATURES, workers: int = 1
) -> Tables:
    """Compare every feature with every other.

    most: features of one block; workers: who take turns at the blocks, each knowing only what it read itself.
    """
    with TemporaryDirectory(prefix="atlas-selftest-") as folder:
        marks_by_layer: dict[str, Marks] = {}

        def look(span: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts) -> None:
            marks_by_layer[span.name] = marks(span, values, facts, data.made_for)

        def responses(span: LayerSpan) -> Float32[np.ndarray, "n c"]:
            return np.ascontiguousarray(data.values[:, span.features])

        bank = write_bank(Path(folder), data.roles, responses, look=look)
        with closing(_compare_blocks(bank, comparison, most, workers)) as results:
            return _tables(bank, results, comparison, marks_by_layer)


def _compare_blocks(bank: Bank, comparison: Comparison, most: int, workers: int) -> BlockResults:
    """Compare every block, the last one first where there are several workers: none may depend on another."""
    blocks = blocks_of(bank.spans, most)
    files = [bank.folder / f"block-{number}.npz" for number in range(len(blocks))]
    comparers = [Comparer(bank, comparison) for _ in range(workers)]
    turns = list(zip(blocks, files, strict=True))
    for turn, (block, file) in enumerate(turns if workers == 1 else reversed(turns)):
        comparers[turn % workers].compare(block, file)
    return BlockResults(blocks, files)


def _tables(bank: Bank, results: BlockResults, comparison: Comparison, marks_by_layer: dict[str, Marks]) -> Tables:
    keys = [(scope, measure) for scope in comparison.scopes for measure in comparison.measures]
    tables = {key: neighbor_table(bank, results, *key, probe=PROBE) for key in keys}
    layers = layer_table(bank, results, PROBE)
    return Tables(
        neighbors={key: table for key, table in tables.items() if table is not None},
        layers=layers,
        matches=match_table(bank, results, layers, probe=PROBE),
        marks=marks_by_layer,
    )


def ranks_in(table: pa.Table, names: Mapping[str, str] | None = None) -> Ranks:
    """Who stands where in a neighbor table; names: what features are called instead."""
    new_names: dict[str, str] = dict(names or {})
    ranks: Ranks = {}
    rows: list[Any] = table.to_pylist()
    for row in rows:
        src: str = new_names.get(row["src"], row["src"])
        dst: str = new_names.get(row["dst"], row["dst"])
        ranks[src, row["sign"], row["rank"]] = (dst, row["rank_rev"], row["mutual"])
    return ranks


def differences(ranks: Ranks, others: Ranks) -> int:
    """At how many ranks two tables differ."""
    return sum(ranks.get(key) != others.get(key) for key in ranks.keys() | others.keys())
