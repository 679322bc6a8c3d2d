"""The index: one row per image, in Parquet files that are written once, by shard, and read by glob.

A fact stands once: columns that the names of a file's folders tell, as `model=m/layer=l`, are not in the file as well,
since readers that know such folders would have them twice, and in two types. `read_table` puts them back.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.store.bucket_path import is_remote
from atlas.store.columns import described, table_name
from atlas.store.damaged_file import DamagedFile, damage_of
from atlas.store.files import readable, write_whole

INDEX = pa.schema(
    [
        ("feature", pa.string()),  # address, model/layer:channel
        ("model", pa.string()),
        ("layer", pa.string()),
        ("layer_index", pa.int32()),  # place in order of execution
        ("channel", pa.int32()),
        ("target", pa.string()),
        ("metric", pa.string()),
        ("recipe", pa.string()),
        ("seed", pa.int64()),
        ("status", pa.string()),  # ok or dead
        ("score", pa.float32()),  # mean activation of the target on the finished image
        ("score_start", pa.float32()),
        ("loss", pa.float32()),
        ("trace", pa.list_(pa.float32())),  # score along the way
        ("activation", pa.list_(pa.float32())),  # mean activation of every channel of the layer on the finished image
        ("image", pa.string()),  # path relative to the atlas
        ("image_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("steps", pa.int32()),
        ("seconds", pa.float32()),  # share of the time its batch took
        ("device", pa.string()),
        ("precision", pa.string()),
        ("weights", pa.string()),  # where from, and the digest
        ("task", pa.string()),  # identity: hash of all that reaches a pixel
        ("created", pa.timestamp("ms", tz="UTC")),
    ]
)
FAILURES = INDEX.append(pa.field("error_type", pa.string())).append(pa.field("error_message", pa.string()))
FAILURES = FAILURES.append(pa.field("attempts", pa.int32()))
# error_message is one line; an atlas of an earlier version has the traceback there, and lacks this column
FAILURES = FAILURES.append(pa.field("traceback", pa.string()))

# What every channel of a layer did while one was driven (trace=full); one row for each moment of each image.
TRACES = pa.schema(
    [
        ("task", pa.string()),
        ("feature", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("target", pa.string()),
        ("metric", pa.string()),
        ("recipe", pa.string()),
        ("seed", pa.int64()),
        ("step", pa.int32()),
        ("activation", pa.list_(pa.float32())),  # mean activation of every channel of the layer
    ]
)

NEWER = ("traceback",)  # columns that earlier versions did not write
FORMER = ("self_rank",)  # columns that earlier versions wrote

REQUESTS = 16  # objects that are read at once

Row = dict[str, Any]


def write_rows(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Write rows as one whole Parquet file; a missing column is NULL. KeyError: the schema has no such column."""
    unknown = {key for row in rows for key in row} - set(schema.names)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    write_table(path, pa.Table.from_pylist(list(rows), schema=schema))


def write_table(path: Path, table: pa.Table, group: int | None = None) -> None:
    """Write a table as one whole Parquet file, without what its folders tell.

    group: rows of a row group, for readers that want few of many rows.
    """
    in_file, names = _without_folders(table, path)
    in_file = in_file.cast(described(in_file.schema, table_name(path)))
    text = [field.name for field in table.schema if pa.types.is_string(field.type)]

    def write(file: BinaryIO) -> None:
        options = {"compression": "zstd", "use_dictionary": text, "write_page_checksum": True}
        pq.write_table(in_file.replace_schema_metadata(names or None), file, row_group_size=group, **options)

    write_whole(path, write)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one file, its page checksums verified, with what its folders tell.

    DamagedFile when it is not whole, or lacks a column. OSError: the storage.
    """
    folders = folder_columns(path)
    with damage_of(path), pq.ParquetFile(readable(path), page_checksum_verification=True) as file:
        schema = file.schema_arrow
        told = {name: _whole(schema, name, value) for name, value in folders.items() if name not in schema.names}
        table = file.read(columns=None if columns is None else [name for name in columns if name not in told])
        table.validate()
    for name, value in told.items():
        if columns is None or name in columns:
            table = table.append_column(name, pa.repeat(pa.scalar(value, pa.string()), table.num_rows))
    if missing := set(columns or ()).difference(table.column_names):
        raise DamagedFile(path, KeyError(f"it has no column {min(missing)}"))
    # what the columns mean stands in the files for their readers: tables of different files are joined
    plain = table.cast(pa.schema([field.remove_metadata() for field in table.schema]))
    return plain if columns is None else plain.select(list(columns))


def other_columns(path: Path, schema: pa.Schema) -> set[str]:
    """The columns that a file lacks, has with another type, or has and should not; those of its folders may be missing.

    DamagedFile: its footer cannot be read.
    """
    with damage_of(path):
        types = {field.name: _plain(field.type) for field in pq.read_schema(readable(path))}
    wanted = {field.name: _plain(field.type) for field in schema}
    missing = {name for name in wanted.keys() - types.keys() if name not in (*folder_columns(path), *NEWER)}
    changed = {name for name in types.keys() & wanted.keys() if types[name] != wanted[name]}
    return missing | changed | (types.keys() - wanted.keys() - set(FORMER))


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without the dictionary in which earlier versions kept texts, and without what other writers make of texts."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(kind) else kind


def folder_columns(path: Path) -> dict[str, str]:
    """The columns that the folders just above a file tell, with their value in all of its rows."""
    names = takewhile(lambda name: "=" in name, (folder.name for folder in path.parents))
    pairs = (name.partition("=") for name in names)
    return {column: unquote(value) for column, _, value in pairs}


def whole_name(path: Path, column: str) -> str:
    """The value of a column that a file's folder tells: a folder's name may have been too long. DamagedFile."""
    with damage_of(path):
        return _whole(pq.read_schema(readable(path)), column, folder_columns(path)[column])


def _without_folders(table: pa.Table, path: Path) -> tuple[pa.Table, dict[str, str]]:
    """A table without the columns that its folders tell; their values, where they are longer than a folder's name."""
    folders = {name: value for name, value in folder_columns(path).items() if name in table.column_names}
    values = {name: table[name][0].as_py() for name in folders} if table.num_rows else {}
    longer = {name: value for name, value in values.items() if value is not None and value != folders[name]}
    return table.drop_columns(list(folders)), longer


def _whole(schema: pa.Schema, column: str, value: str) -> str:
    return (schema.metadata or {}).get(column.encode(), value.encode()).decode()


def files_under(folder: Path) -> Iterator[Path]:
    """The finished Parquet files below a folder, in a fixed order; a half-written one has a leading dot."""
    return (path for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith("."))


def tasks_in(paths: Iterable[Path]) -> set[str]:
    """The task ids that some files of rows hold."""
    return {task for table in read_tables(paths, ["task"]) for task in table.column("task").to_pylist()}


def read_tables(paths: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """`read_table` of one after another; of objects some at once, since each is a request away."""
    files = iter(paths)
    for first in files:
        if not is_remote(first):
            yield read_table(first, columns)
            continue
        with ThreadPoolExecutor(REQUESTS) as pool:
            yield from pool.map(lambda path: read_table(path, columns), chain([first], files))
