"""Makes the tables and maps of one probe from the results of its blocks; each file is whole,
and replaces the one before.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.config.schema import SimilarityConfig
from atlas.records import MEASURES, SCOPES, Address
from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.comparer import MAPPED
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.tables.families import cluster
from atlas.similarity.tables.layer_pairs import layer_table
from atlas.similarity.tables.matches import match_table
from atlas.similarity.tables.neighbors import neighbor_table, read_lists
from atlas.similarity.tables.plane import layout
from atlas.store.files import write_whole
from atlas.store.index import read_table, write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import CLUSTERS, LAYERS, LAYOUT, MATCHES, TOP

GROUP_ROWS = 20_000  # of a row group: a reader that wants one feature reads one group


def write_results(
    paths: AtlasPaths, probe: str, bank: Bank, results: BlockResults, config: SimilarityConfig
) -> list[Path]:
    """Write neighbors, the layer table, matches, maps with their order, and the layout; returns the files.

    What an earlier comparison left of this probe, and this one does not make, is removed.
    """
    tables = {
        paths.layers: LAYERS.empty_table(),
        paths.matches: MATCHES.empty_table(),
        paths.layout: LAYOUT.empty_table(),
    }
    if "profile" in config.measures:
        tables[paths.layers] = layer_table(bank, results, probe)
        tables[paths.matches] = match_table(bank, results, tables[paths.layers], probe=probe)
    if config.layout:
        tables[paths.layout] = _layouts(bank, results, probe, config.seed)
    tables[paths.clusters], files = _maps(paths, probe, bank, results)
    for path, table in tables.items():
        replace_probe(path, table, probe)
    for scope, measure in product(SCOPES, MEASURES):
        wanted = scope in config.scopes and measure in config.measures
        table = neighbor_table(bank, results, scope, measure, probe=probe) if wanted else None
        files += _write_neighbors(paths.neighbor_table(scope, measure, probe), table)
    return [*tables, *files]


def replace_probe(path: Path, table: pa.Table, probe: str) -> None:
    """Replace a probe's rows in a table; other probes' rows stay."""
    if path.exists():
        before = read_table(path)
        if before.schema.equals(table.schema):
            table = pa.concat_tables([before.filter(pc.field("probe") != probe), table])
    write_table(path, table)


def _write_neighbors(path: Path, table: pa.Table | None) -> list[Path]:
    if table is None:
        path.unlink(missing_ok=True)
        return []
    write_table(path, table, group=GROUP_ROWS)
    return [path]


def _maps(paths: AtlasPaths, probe: str, bank: Bank, results: BlockResults) -> tuple[pa.Table, list[Path]]:
    """Write each layer's matrix in clustered order, and the channels in that order; returns CLUSTERS, and the files."""
    rows, written = [], []
    for number, span in enumerate(bank.spans):
        for measure in MAPPED:
            stem = paths.map(span.model, span.layer, measure, probe)
            files = [stem.with_name(stem.name + ending) for ending in (".npy", ".order.npy")]
            matrix, compared = _compared(results, number, measure)
            if not len(compared):
                for path in [*files, stem.with_name(f"{stem.name}.png")]:
                    path.unlink(missing_ok=True)
                continue
            ordered = cluster(matrix)
            addresses = [bank.addresses[span.start + compared[row]] for row in ordered.order]
            channels = np.array([Address.parse(address).channel for address in addresses])
            _save(files[0], matrix[np.ix_(ordered.order, ordered.order)])
            _save(files[1], channels)
            written += files
            rows += _cluster_rows(probe, measure, span, channels, ordered.families)
    return pa.Table.from_pylist(rows, schema=CLUSTERS), written


def _compared(results: BlockResults, number: int, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """A layer's similarities (n, n) among the features that have any, and which those are; none where not computed."""
    if not results.has(number, f"map.{measure}"):
        return np.empty((0, 0), np.float32), np.empty(0, int)
    matrix = results.layer(number, f"map.{measure}")
    compared = np.flatnonzero(np.isfinite(np.diagonal(matrix)))
    return matrix[np.ix_(compared, compared)], compared


def _save(path: Path, array: np.ndarray) -> None:
    write_whole(path, lambda file: np.save(file, array))


def _cluster_rows(
    probe: str, measure: str, span: LayerSpan, channels: np.ndarray, families: np.ndarray
) -> list[dict[str, object]]:
    return [
        {
            "probe": probe,
            "measure": measure,
            "feature": str(Address(span.model, span.layer, int(channel))),
            "model": span.model,
            "layer": span.layer,
            "channel": int(channel),
            "place": place,
            "family": int(family),
        }
        for place, (channel, family) in enumerate(zip(channels, families, strict=True))
    ]


def _layouts(bank: Bank, results: BlockResults, probe: str, seed: int) -> pa.Table:
    """LAYOUT: a point in the plane for each live feature, model by model, from its nearest in the model by profile."""
    lists = read_lists(results, "model", "profile", TOP)
    if lists is None:
        return LAYOUT.empty_table()
    rows = []
    for model in dict.fromkeys(span.model for span in bank.spans):
        features = np.concatenate([np.arange(span.start, span.stop) for span in bank.spans if span.model == model])
        live = features[lists.there[features].any(1)]
        if not len(live):
            continue
        row = np.full(len(bank.addresses), -1)
        row[live] = np.arange(len(live))
        near = np.where(lists.there[live], row[lists.column[live]], -1)
        points = layout(near, lists.score[live], seed=seed)
        for feature, (x, y) in zip(live, points, strict=True):
            address = bank.addresses[feature]
            rows.append({"probe": probe, "feature": address, **Address.parse(address)._asdict(), "x": x, "y": y})
    return pa.Table.from_pylist(rows, schema=LAYOUT)
