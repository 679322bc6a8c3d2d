"""A pyarrow.Table on stdout as table, json, jsonl, csv or parquet. Data only: messages go to stderr."""

import csv
import json
import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
from numpy import float32
from rich.cells import cell_len

GAP = "  "


def print_table(table: pa.Table, form: str) -> None:
    """Print a table in one of FORMATS; equal column names are numbered, as a, a_1."""
    WRITERS[form](table.rename_columns(_distinct(table.column_names)))


def without_empty(table: pa.Table, *names: str) -> pa.Table:
    """A table without those of the named columns that say nothing in any row."""
    return table.drop_columns([name for name in names if table[name].null_count == table.num_rows])


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of plain values, as JSON has them: null for NaN, ISO times, and a float32 with its own few digits.

    Through Python's float, 0.1 as float32 would print as 0.10000000149011612.
    """
    # of no chunks, pyarrow makes an array out of a Python list, for which it imports pandas where that is installed
    columns = [_plain(column.combine_chunks()) for column in table.columns] if table.num_rows else []
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column: pa.Array) -> list[Any]:
    kind = column.type
    if pa.types.is_list(kind):
        values, ends = _plain(column.flatten()), accumulate(size or 0 for size in column.value_lengths().to_pylist())
        spans = zip(column.is_valid().to_pylist(), pairwise([0, *ends]), strict=True)
        return [values[start:end] if valid else None for valid, (start, end) in spans]
    if pa.types.is_float32(kind):
        # numpy's text, and not pyarrow's, for which pyarrow.compute is imported: a sixth of the time of `atlas similar`;
        # value by value, as pyarrow's own way to numpy imports pandas where that is installed
        return [None if value is None else _finite(float(str(float32(value)))) for value in column.to_pylist()]
    return [_value(value) for value in column.to_pylist()]


def _value(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return _finite(value)
        case dict():
            return {str(key): _value(item) for key, item in value.items()}
        case list() | tuple():
            return [_value(item) for item in value]
        case bytes():
            return value.hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # DuckDB sums integers to a Decimal
    if hasattr(value, "as_integer_ratio"):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_json(table: pa.Table) -> None:
    lines = ",\n".join(_json(row) for row in plain_rows(table))
    click.echo(f"[\n{lines}\n]" if lines else "[]")


def _write_jsonl(table: pa.Table) -> None:
    for batch in table.to_batches(max_chunksize=4096):
        click.echo("".join(_json(row) + "\n" for row in plain_rows(pa.Table.from_batches([batch]))), nl=False)


def _write_csv(table: pa.Table) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in plain_rows(table):
        writer.writerow(_json(value) if isinstance(value, bool | list | dict) else value for value in row.values())


def _write_parquet(table: pa.Table) -> None:
    if sys.stdout.isatty():
        raise click.UsageError("--format parquet writes bytes: send them to a file, as … > rows.parquet")
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    sys.stdout.buffer.write(sink.getvalue())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_text(table: pa.Table) -> None:
    """Columns side by side; on a terminal that is too narrow for them, one line per value. Nothing is cut off."""
    names, rows = table.column_names, [[_cell(value) for value in row.values()] for row in plain_rows(table)]
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    if sys.stdout.isatty() and sum(widths) + len(GAP) * len(widths) > shutil.get_terminal_size().columns:
        _write_records(names, rows)
        return
    right = [_is_number(field.type) for field in table.schema]
    click.echo(click.style(_line(names, widths, right), bold=True))
    click.echo(GAP.join("─" * width for width in widths))
    for row in rows:
        click.echo(_line(row, widths, right))


def _write_records(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    width = max(map(cell_len, names), default=0)
    for number, row in enumerate(rows, start=1):
        click.echo(click.style(f"── {number} " + "─" * width, dim=True))
        for name, value in zip(names, row, strict=True):
            click.echo(click.style(_pad(name, width, right=False), bold=True) + GAP + value)


def _line(cells: Iterable[str], widths: Iterable[int], right: Iterable[bool]) -> str:
    return GAP.join(_pad(*cell) for cell in zip(cells, widths, right, strict=True)).rstrip()


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _cell(value: Any) -> str:
    """A value on one line: four digits of a float, the first two values of a long list, no control characters."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        cells = [*map(_cell, value[:2]), f"… {len(value)} values"] if len(value) > 4 else map(_cell, value)
        return "[" + ", ".join(cells) + "]"
    text = _json(value) if isinstance(value, bool | dict) else str(value)
    return "".join(letter if letter.isprintable() else " ↵ " if letter == "\n" else " " for letter in text.strip())


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, with a number after each that was there before."""
    taken: list[str] = []
    for name in names:
        free, number = name, 0
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.append(free)
    return taken


WRITERS = {
    "table": _write_text,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
