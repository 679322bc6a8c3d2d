"""A whole comparison in this process, its files in a temporary folder: planted or measured responses in, tables out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from atlas.records import MEASURES, SCOPES
from atlas.selftest.planted import Planted
from atlas.similarity.compare.bank import Bank, Facts, LayerSpan, write_bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import SOURCES, Comparison, blocks_of
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.tables.layer_pairs import layer_table
from atlas.similarity.tables.matches import match_table
from atlas.similarity.tables.neighbors import neighbor_table
from atlas.similarity.tables.quality import Marks, marks

PROBE = "planted"

# source, sign and rank → who stands there, the source's rank in its list, and whether it stands in it
Places = dict[tuple[str, int, int], tuple[str, int | None, bool]]


@dataclass(frozen=True)
class Tables:
    """All that a comparison found."""

    neighbors: dict[tuple[str, str], pa.Table]  # by scope and measure
    layers: pa.Table
    matches: pa.Table
    marks: dict[str, Marks]  # by `model/layer`


def compare(
    data: Planted,
    *,
    measures: Sequence[str] = MEASURES,
    scopes: Sequence[str] = SCOPES,
    top: int = 5,
    bottom: int = 2,
    most: int = SOURCES,
    workers: int = 1,
) -> Tables:
    """Compare everything with everything.

    most: features of one block; workers: who take turns at the blocks, each knowing only what it read itself.
    """
    with TemporaryDirectory(prefix="atlas-selftest-") as folder:
        seen: dict[str, Marks] = {}

        def look(panel: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts) -> None:
            seen[panel.name] = marks(panel, values, facts, data.made)

        def responses(panel: LayerSpan) -> Float32[np.ndarray, "n c"]:
            return np.ascontiguousarray(data.values[:, panel.features])

        bank = write_bank(Path(folder), data.addresses, data.pictures, responses, look=look)
        found = _blocks(bank, Comparison(tuple(measures), tuple(scopes), top, bottom), most, workers)
        try:
            return _tables(bank, found, measures, scopes, seen)
        finally:
            found.close()


def _blocks(bank: Bank, asked: Comparison, most: int, workers: int) -> BlockResults:
    """Every block, the last one first where there are several workers: none may depend on another."""
    blocks = blocks_of(bank.panels, most)
    files = [bank.folder / f"block-{number}.npz" for number in range(len(blocks))]
    crew = [Comparer(bank, asked) for _ in range(workers)]
    turns = list(zip(blocks, files, strict=True))
    for turn, (block, file) in enumerate(turns if workers == 1 else reversed(turns)):
        crew[turn % workers].compare(block, file)
    return BlockResults(blocks, files)


def _tables(
    bank: Bank, found: BlockResults, measures: Sequence[str], scopes: Sequence[str], seen: dict[str, Marks]
) -> Tables:
    tables = {(scope, m): neighbor_table(bank, found, scope, m, probe=PROBE) for scope in scopes for m in measures}
    layers = layer_table(bank, found, PROBE)
    return Tables(
        neighbors={key: table for key, table in tables.items() if table is not None},
        layers=layers,
        matches=match_table(bank, found, layers, probe=PROBE),
        marks=seen,
    )


def places(table: pa.Table, names: Mapping[str, str] | None = None) -> Places:
    """Who stands where in a neighbor table; names: what features are called instead."""
    called: dict[str, str] = dict(names or {})
    found: Places = {}
    rows: list[Any] = table.to_pylist()
    for row in rows:
        src: str = called.get(row["src"], row["src"])
        dst: str = called.get(row["dst"], row["dst"])
        found[src, row["sign"], row["rank"]] = (dst, row["rank_rev"], row["mutual"])
    return found


def differences(one: Places, other: Places) -> int:
    """Places at which two tables differ."""
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())
