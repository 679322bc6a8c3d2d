"""The index: one row per image, in Parquet files that are written once, by shard, and read by glob."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.store.files import write_whole

# Type of `model` and `layer`, which the folders `model=…/layer=…` repeat: pyarrow gives the names of folders this type,
# and merges them only with columns of the same type.
FOLDER = pa.dictionary(pa.int32(), pa.string())

INDEX = pa.schema(
    [
        ("feature", pa.string()),  # address, model/layer:channel
        ("model", FOLDER),
        ("layer", FOLDER),
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
        ("self_rank", pa.int32()),
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

# What every channel of a layer did while one was driven (trace=full); one row for each moment of each image.
TRACES = pa.schema(
    [
        ("task", pa.string()),
        ("feature", pa.string()),
        ("model", FOLDER),
        ("layer", FOLDER),
        ("channel", pa.int32()),
        ("target", pa.string()),
        ("metric", pa.string()),
        ("recipe", pa.string()),
        ("seed", pa.int64()),
        ("step", pa.int32()),
        ("activation", pa.list_(pa.float32())),  # mean activation of every channel of the layer
    ]
)

Row = dict[str, Any]


def write_rows(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Write rows as one whole Parquet file; a missing column is NULL. KeyError: the schema has no such column."""
    unknown = {key for row in rows for key in row} - set(schema.names)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    write_table(path, pa.Table.from_pylist(list(rows), schema=schema))


def write_table(path: Path, table: pa.Table, group: int | None = None) -> None:
    """Write a table as one whole Parquet file. group: rows of a row group, for readers that want few of many rows."""
    text = [field.name for field in table.schema if pa.types.is_string(field.type)]

    def write(file: BinaryIO) -> None:
        options = {"compression": "zstd", "use_dictionary": text, "write_page_checksum": True}
        pq.write_table(table, file, row_group_size=group, **options)

    write_whole(path, write)


class DamagedFile(OSError):
    """A Parquet file that cannot be read, though the storage gives its bytes; the message names it and the remedy."""

    def __init__(self, path: Path, error: BaseException) -> None:
        self.path, self.reason = path, str(error).partition("\n")[0] or type(error).__name__
        super().__init__(f"{path} is damaged ({self.reason}); retry=broken makes again what it held")


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one file, its page checksums verified; DamagedFile when it is not whole, or lacks a column."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read(columns=None if columns is None else list(columns))
            table.validate()
    # a footer, unlike a page, has no checksum: what is wrong in it may show in any way
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedFile(path, error) from error
    if missing := set(columns or ()).difference(table.column_names):
        raise DamagedFile(path, KeyError(f"it has no column {min(missing)}"))
    return table


def files_under(folder: Path) -> Iterator[Path]:
    """The finished Parquet files below a folder, in a fixed order; a half-written one has a leading dot."""
    return (path for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith("."))


def tasks_in(paths: Iterable[Path]) -> set[str]:
    """The task ids that some files of rows hold."""
    return {task for path in paths for task in read_table(path, ["task"]).column("task").to_pylist()}
