"""Tables on stdout: every format holds the same values, and nothing is cut off unseen."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.cli import FORMATS
from atlas.cli.tables import plain_rows, print_table

TABLE = pa.table(
    {
        "name": pa.array(["a", "bb\nc", None]),
        "score": pa.array([0.1, float("nan"), None], pa.float32()),
        "trace": pa.array([[0.1, float("inf")], [], None], pa.list_(pa.float32())),
        "long": pa.array([[*range(300)], [1], None], pa.list_(pa.int64())),
        "when": pa.array([datetime(2026, 1, 2, tzinfo=UTC)] * 3, pa.timestamp("us", tz="UTC")),
        "sum": pa.array([Decimal(12), Decimal(3), None], pa.decimal128(38, 0)),
        "mark": pa.array([True, False, None]),
    }
)


def printed(capsysbinary, form: str, table: pa.Table = TABLE) -> bytes:
    print_table(table, form)
    return capsysbinary.readouterr().out


def test_plain_values():
    first, second, third = plain_rows(TABLE)
    assert first["score"] == 0.1
    assert first["trace"] == [0.1, None]
    assert first["sum"] == 12
    assert first["when"] == "2026-01-02T00:00:00+00:00"
    assert second["score"] is None
    assert second["trace"] == []
    assert set(third.values()) == {None, "2026-01-02T00:00:00+00:00"}


def test_json_and_jsonl_and_csv_agree(capsysbinary):
    rows = plain_rows(TABLE)
    assert json.loads(printed(capsysbinary, "json")) == rows
    assert [json.loads(line) for line in printed(capsysbinary, "jsonl").splitlines()] == rows
    read = list(csv.DictReader(io.StringIO(printed(capsysbinary, "csv").decode())))
    assert [row["name"] for row in read] == ["a", "bb\nc", ""]
    assert json.loads(read[0]["long"]) == list(range(300))
    assert (read[0]["score"], read[0]["mark"], read[2]["score"]) == ("0.1", "true", "")


def test_parquet_is_the_table_itself(capsysbinary):
    read = pq.read_table(io.BytesIO(printed(capsysbinary, "parquet")))
    assert read.schema == TABLE.schema
    assert plain_rows(read) == plain_rows(TABLE)


def test_a_piped_table_keeps_every_column_and_aligns_numbers(capsysbinary):
    lines = printed(capsysbinary, "table").decode().splitlines()
    assert lines[0].split() == TABLE.column_names
    assert len(lines) == 5
    assert "[0, 1, … 300 values]" in lines[2]
    assert "bb ↵ c" in lines[3]
    assert lines[2].index("0.1") + 3 == lines[0].index("score") + 5


@pytest.mark.parametrize("form", FORMATS)
def test_no_rows_and_equal_names(capsysbinary, form):
    assert printed(capsysbinary, form, TABLE.slice(0, 0)) or form == "jsonl"
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert b"a_1" in printed(capsysbinary, form, twice)


def test_no_terminal_codes_from_names(capsysbinary):
    assert b"\x1b" not in printed(capsysbinary, "table", pa.table({"name": ["\x1b[31mred"]}))


def test_a_float32_has_the_fewest_digits_that_tell_it_from_its_neighbors():
    bits = np.random.default_rng(0).integers(0, 2**32, 5000, dtype=np.uint32)
    column = pa.array([*bits.view(np.float32), 0.1, 3.4e38, 1e-45, -0.0], pa.float32())
    plain = [row["x"] for row in plain_rows(pa.table({"x": column}))]
    assert plain == [
        float(text) if text.strip("-") not in ("nan", "inf") else None for text in column.cast(pa.string()).to_pylist()
    ]
