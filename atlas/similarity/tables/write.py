"""From what the blocks found to the tables and maps of one probe; each file is whole, and replaces the one before."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.config.schema import SimilarityConfig
from atlas.records import MEASURES, SCOPES, Address
from atlas.similarity.compare.bank import Bank, LayerSpan
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.comparer import MAPPED
from atlas.similarity.tables.families import cluster
from atlas.similarity.tables.layer_pairs import layer_table
from atlas.similarity.tables.matches import match_table
from atlas.similarity.tables.neighbors import neighbor_table, read_lists
from atlas.similarity.tables.plane import layout
from atlas.similarity.tables.quality import Marks
from atlas.store.files import write_whole
from atlas.store.index import read_table, write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import CLUSTERS, LAYERS, LAYOUT, MATCHES, QUALITY, TOP

GROUP = 20_000  # rows of a row group: a reader that wants one feature reads one group


def write_results(
    paths: AtlasPaths, probe: str, bank: Bank, found: BlockResults, config: SimilarityConfig
) -> list[Path]:
    """Neighbors, the layer table, matches, maps with their order, and the layout; the files that now hold the probe's.

    What an earlier comparison left of this probe, and this one was not asked for, goes.
    """
    tables = {
        paths.layers: LAYERS.empty_table(),
        paths.matches: MATCHES.empty_table(),
        paths.layout: LAYOUT.empty_table(),
    }
    if "profile" in config.measures:
        tables[paths.layers] = layer_table(bank, found, probe)
        tables[paths.matches] = match_table(bank, found, tables[paths.layers], probe=probe)
    if config.layout:
        tables[paths.layout] = _layouts(bank, found, probe, config.seed)
    tables[paths.clusters], written = _maps(paths, probe, bank, found)
    for path, table in tables.items():
        replace_probe(path, table, probe)
    for scope, measure in product(SCOPES, MEASURES):
        asked = scope in config.scopes and measure in config.measures
        table = neighbor_table(bank, found, scope, measure, probe=probe) if asked else None
        written += _write_neighbors(paths.neighbor_table(scope, measure, probe), table)
    return [*tables, *written]


def write_quality(
    paths: AtlasPaths, tasks: Sequence[str], features: Sequence[str | None], marks: Sequence[Marks]
) -> None:
    """self_rank and self_z of every image of the atlas; NULL for what is not live."""
    picture = np.concatenate([one.picture for one in marks])
    rank, z = np.concatenate([one.rank for one in marks]), np.concatenate([one.z for one in marks])
    columns = [
        pa.array([tasks[number] for number in picture]),
        pa.array([features[number] for number in picture]),
        pa.array(rank, pa.int32(), mask=rank == 0),
        pa.array(z, pa.float32(), mask=~np.isfinite(z)),
    ]
    write_table(paths.quality, pa.table(columns, schema=QUALITY))


def replace_probe(path: Path, table: pa.Table, probe: str) -> None:
    """Put a probe's rows in the place of those that it had; other probes' rows stay."""
    if path.exists():
        before = read_table(path)
        if before.schema.equals(table.schema):
            table = pa.concat_tables([before.filter(pc.field("probe") != probe), table])
    write_table(path, table)


def _write_neighbors(path: Path, table: pa.Table | None) -> list[Path]:
    if table is None:
        path.unlink(missing_ok=True)
        return []
    write_table(path, table, group=GROUP)
    return [path]


def _maps(paths: AtlasPaths, probe: str, bank: Bank, found: BlockResults) -> tuple[pa.Table, list[Path]]:
    """Write each layer's matrix in clustered order, and the channels in that order; CLUSTERS, and the files."""
    rows, written = [], []
    for number, panel in enumerate(bank.panels):
        for measure in MAPPED:
            stem = paths.map(panel.model, panel.layer, measure, probe)
            files = [stem.with_name(stem.name + ending) for ending in (".npy", ".order.npy")]
            matrix, there = _compared(found, number, measure)
            if not len(there):
                for path in [*files, stem.with_name(f"{stem.name}.png")]:
                    path.unlink(missing_ok=True)
                continue
            ordered = cluster(matrix)
            addresses = [bank.addresses[panel.start + there[at]] for at in ordered.order]
            channels = np.array([Address.parse(address).channel for address in addresses])
            _save(files[0], matrix[np.ix_(ordered.order, ordered.order)])
            _save(files[1], channels)
            written += files
            rows += _cluster_rows(probe, measure, panel, channels, ordered.families)
    return pa.Table.from_pylist(rows, schema=CLUSTERS), written


def _compared(found: BlockResults, number: int, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """A layer's similarities (n, n) among the features that have any, and which those are; none, if not asked for."""
    if not found.has(number, f"map.{measure}"):
        return np.empty((0, 0), np.float32), np.empty(0, int)
    matrix = found.layer(number, f"map.{measure}")
    there = np.flatnonzero(np.isfinite(np.diagonal(matrix)))
    return matrix[np.ix_(there, there)], there


def _save(path: Path, array: np.ndarray) -> None:
    write_whole(path, lambda file: np.save(file, array))


def _cluster_rows(
    probe: str, measure: str, panel: LayerSpan, channels: np.ndarray, families: np.ndarray
) -> list[dict[str, object]]:
    return [
        {
            "probe": probe,
            "measure": measure,
            "feature": str(Address(panel.model, panel.layer, int(channel))),
            "model": panel.model,
            "layer": panel.layer,
            "channel": int(channel),
            "place": place,
            "family": int(family),
        }
        for place, (channel, family) in enumerate(zip(channels, families, strict=True))
    ]


def _layouts(bank: Bank, found: BlockResults, probe: str, seed: int) -> pa.Table:
    """A place in the plane for each live feature, model by model, from its nearest in the model by profile."""
    lists = read_lists(bank, found, "model", "profile", TOP)
    if lists is None:
        return LAYOUT.empty_table()
    rows = []
    for model in dict.fromkeys(panel.model for panel in bank.panels):
        mine = np.concatenate([np.arange(p.start, p.stop) for p in bank.panels if p.model == model])
        there = mine[lists.there[mine].any(1)]
        if not len(there):
            continue
        place = np.full(len(bank.addresses), -1)
        place[there] = np.arange(len(there))
        near = np.where(lists.there[there], place[lists.column[there]], -1)
        points = layout(near, lists.score[there], seed=seed)
        for feature, (x, y) in zip(there, points, strict=True):
            address = bank.addresses[feature]
            rows.append({"probe": probe, "feature": address, **Address.parse(address)._asdict(), "x": x, "y": y})
    return pa.Table.from_pylist(rows, schema=LAYOUT)
