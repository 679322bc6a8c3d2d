"""Every folder of an atlas opens with every Parquet reader of the field, whatever its layers are called."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from made_atlas import Made, make_atlas, task_of
from made_similarity import write_similarity

from atlas.query.atlas import Atlas
from atlas.query.verify.verify import verify
from atlas.store.index import TRACES, read_table, write_table
from atlas.store.paths import AtlasPaths, safe
from atlas.store.similarity_tables import PLACES

LONG = "層" * 40
LAYERS = {
    "numbers": ("0", "1", "2"),
    "mixed": ("conv1", "1.10", "1_000", "null", "[0]", "block 0/a", "2026-11-27"),
    "long": (LONG, "n" * 300, "🙂" * 30),
}


@pytest.fixture(scope="module", params=LAYERS)
def paths(request, tmp_path_factory) -> AtlasPaths:
    """An atlas with tables of every kind."""
    layers = [Made("alpha", name, 4, 4, index=n, failed=(3,)) for n, name in enumerate(LAYERS[request.param])]
    paths = make_atlas(tmp_path_factory.mktemp(request.param) / "a", layers)
    write_similarity(paths)
    for layer in layers:
        row = {
            "model": "alpha",
            "layer": layer.layer,
            "probe": "patterns",
            "channel": 0,
            "task": task_of(layer, "l1", 0),
        }
        for schema, folder in (
            (TRACES, paths.layer_traces("alpha", layer.layer)),
            (PLACES, paths.layer_places("patterns", "alpha", layer.layer)),
        ):
            rows = [{name: value for name, value in row.items() if name in schema.names}]
            write_table(folder / "s.parquet", pa.Table.from_pylist(rows, schema=schema))
    return paths


def tables(paths: AtlasPaths) -> list[Path]:
    """The folders that hold tables, and the tables beside them."""
    files = [*paths.root.rglob("*.parquet")]
    return sorted({paths.root / file.relative_to(paths.root).parts[0] for file in files})


READERS = {
    "pyarrow": lambda path: pq.read_table(path).num_rows,
    "dataset": lambda path: ds.dataset(path, partitioning="hive").to_table().num_rows,
    "pandas": lambda path: len(pd.read_parquet(path)),
    "polars": lambda path: (
        (pl.scan_parquet(path, hive_partitioning=True) if path.is_dir() else pl.scan_parquet(path)).collect().height
    ),
    "duckdb": lambda path: (
        duckdb.sql(f"from read_parquet('{_glob(path)}', hive_partitioning=true)").to_arrow_table().num_rows
    ),
}


def _glob(path: Path) -> str:
    return f"{path}/**/*.parquet" if path.is_dir() else str(path)


@pytest.mark.parametrize("reader", READERS)
def test_every_folder_opens(paths: AtlasPaths, reader: str) -> None:
    folders = tables(paths)
    assert {"index", "failures", "plans", "responses", "places", "examples", "neighbors", "traces"} <= {
        folder.name for folder in folders
    }
    assert len(folders) >= 14
    for folder in folders:
        files = sorted(folder.rglob("*.parquet")) or [folder]
        assert READERS[reader](folder) == sum(pq.ParquetFile(file).metadata.num_rows for file in files), folder


def test_a_fact_stands_once(paths: AtlasPaths) -> None:
    for file in paths.root.rglob("*.parquet"):
        told = {folder.name.partition("=")[0] for folder in file.parents if "=" in folder.name}
        assert not told & set(pq.read_schema(file).names), file


def test_our_own_readers_have_every_name_whole(paths: AtlasPaths) -> None:
    assert verify(paths).broken == 0
    with Atlas(paths.root) as atlas:
        layers = atlas.layers["layer"].to_pylist()
        for view in ("features", "responses", "traces", "failures"):
            named = atlas.sql(f"select distinct layer from {view}")["layer"].to_pylist()
            assert set(named) == set(layers), view
        rows = atlas.sql("select feature, layer, channel from features").to_pylist()
    assert all(row["feature"] == f"alpha/{row['layer']}:{row['channel']}" for row in rows)
    assert len(layers) == len({safe(layer) for layer in layers})
    assert all(len(path.name) <= 255 for path in paths.root.rglob("*"))


def test_a_file_of_an_earlier_version_is_read_beside_newer_ones(tmp_path: Path) -> None:
    """It has what its folders tell as well, in a dictionary."""
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 8, 8)])
    file, *others = sorted(paths.layer_index("alpha", "conv1").glob("*.parquet"))
    assert others
    table = pq.ParquetFile(file).read()
    kind = pa.dictionary(pa.int32(), pa.string())
    for name, value in (("model", "alpha"), ("layer", "conv1")):
        table = table.append_column(name, pa.array([value] * len(table)).cast(kind))
    pq.write_table(table, file)
    assert read_table(file, ["layer", "task"])["layer"].to_pylist() == ["conv1"] * len(table)
    assert verify(paths).whole
    with Atlas(paths.root) as atlas:
        assert atlas.sql("select distinct model, layer from features").to_pylist() == [
            {"model": "alpha", "layer": "conv1"}
        ]
        assert atlas.sql("from features").num_rows == 16


def test_numbers_are_as_they_were(paths: AtlasPaths) -> None:
    table = pd.read_parquet(paths.index)
    assert np.stack(table["activation"]).shape == (len(table), 4)
