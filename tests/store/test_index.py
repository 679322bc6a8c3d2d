"""Rows are written once, read by anybody's Parquet reader, and damage is noticed."""

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.store.index import FAILURES, INDEX, files_under, read_table, tasks_in, write_rows
from atlas.store.paths import AtlasPaths

ROW = {
    "feature": "alpha/block 1:3",
    "model": "alpha",
    "layer": "block 1",
    "layer_index": 4,
    "channel": 3,
    "target": "channel",
    "metric": "l1",
    "recipe": "quick",
    "seed": 2**40,
    "status": "ok",
    "score": 1.5,
    "score_start": -0.25,
    "loss": 3.0,
    "trace": [0.0, 0.5, 1.5],
    "activation": [0.125] * 8,
    "image": "images/alpha/block%201/l1/3.png",
    "image_sha256": "ab" * 32,
    "width": 96,
    "height": 96,
    "steps": 40,
    "seconds": 0.5,
    "device": "cpu",
    "precision": "float32",
    "weights": "none@d0",
    "task": "t3",
    "created": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
}


def rows(layer: str, channels: range) -> list[dict]:
    return [ROW | {"layer": layer, "channel": c, "task": f"{layer}-{c}"} for c in channels]


@pytest.fixture
def paths(tmp_path) -> AtlasPaths:
    """Two layers of one model and one of another, in files of a hive layout."""
    paths = AtlasPaths(tmp_path)
    for layer in ("conv1", "block 1"):
        write_rows(paths.shard_index("alpha", layer, "s0"), rows(layer, range(3)), INDEX)
    write_rows(paths.shard_index("alpha", "conv1", "s1"), rows("conv1", range(3, 5)), INDEX)
    write_rows(paths.shard_index("beta/net", "conv1", "s0"), [ROW | {"model": "beta/net", "layer": "conv1"}], INDEX)
    return paths


def test_what_is_written_is_read(tmp_path):
    assert set(ROW) == set(INDEX.names)
    write_rows(tmp_path / "x.parquet", [ROW, ROW | {"score": None, "trace": []}], INDEX)
    table = read_table(tmp_path / "x.parquet")
    assert table.to_pylist() == [ROW, ROW | {"score": None, "trace": []}]
    assert table.schema.equals(INDEX)
    assert read_table(tmp_path / "x.parquet", ["channel", "task"]).to_pylist() == [{"channel": 3, "task": "t3"}] * 2


def test_missing_columns_are_null_and_unknown_ones_are_refused(tmp_path):
    failure = {"feature": "a/b:0", "task": "t", "error_type": "NonFinite", "attempts": 2}
    write_rows(tmp_path / "x.parquet", [failure], FAILURES)
    (row,) = read_table(tmp_path / "x.parquet").to_pylist()
    assert {key: value for key, value in row.items() if value is not None} == failure
    with pytest.raises(KeyError, match="attempts, error_type"):
        write_rows(tmp_path / "y.parquet", [failure], INDEX)
    assert not (tmp_path / "y.parquet").exists()


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_rows(tmp_path / name, rows("conv", range(5)), INDEX)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_pyarrow_opens_the_folder(paths):
    table = pq.read_table(paths.index)
    assert table.num_rows == 9
    layers = set(zip(table["model"].to_pylist(), table["layer"].to_pylist(), strict=True))
    assert layers == {("alpha", "block 1"), ("alpha", "conv1"), ("beta/net", "conv1")}


def test_duckdb_opens_the_glob(paths):
    for options in ("", ", hive_partitioning=true"):
        source = f"read_parquet('{paths.index}/**/*.parquet'{options})"
        counts = duckdb.sql(f"select model, layer, count(*) from {source} group by all order by all").fetchall()
        assert counts == [("alpha", "block 1", 3), ("alpha", "conv1", 5), ("beta/net", "conv1", 1)], options


def test_files_and_tasks_are_found_in_order_without_half_written_ones(paths):
    folder = paths.layer_index("alpha", "conv1")
    (folder / ".s9.parquet.1234.part").write_bytes(b"half")
    (folder / ".s9.parquet").write_bytes(b"half")
    files = list(files_under(paths.index))
    assert len(files) == 4
    assert files == sorted(files)
    assert tasks_in(files_under(folder)) == {f"conv1-{c}" for c in range(5)}
    assert list(files_under(paths.failures)) == []


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5])
def test_a_damaged_page_is_noticed(tmp_path, place):
    path = tmp_path / "x.parquet"
    many = [ROW | {"channel": c, "task": f"{c * 7919 % 1000:04d}", "activation": [c / 7, c / 3]} for c in range(1000)]
    write_rows(path, many, INDEX)
    data = bytearray(path.read_bytes())
    at = int(len(data) * place)
    data[at : at + 3] = bytes(byte ^ 0xFF for byte in data[at : at + 3])
    path.write_bytes(data)
    with pytest.raises(OSError):
        read_table(path)


@pytest.mark.parametrize("harm", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"PAR1" * 9])
def test_a_file_that_is_cut_off_is_noticed(tmp_path, harm):
    path = tmp_path / "x.parquet"
    write_rows(path, [ROW], INDEX)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises((OSError, pa.ArrowInvalid)):
        read_table(path)
