"""plans/: a row for every task that was ever asked of an atlas, so that readers know which are left to do."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.store.columns import described
from atlas.store.damaged_file import DamagedFile
from atlas.store.files import write_whole
from atlas.store.index import Row, read_table

PLAN = pa.schema(
    [
        ("task", pa.string()),
        ("feature", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("layer_index", pa.int32()),
        ("channel", pa.int32()),
        ("target", pa.string()),
        ("metric", pa.string()),
        ("recipe", pa.string()),
        ("seed", pa.int64()),
        ("weights", pa.string()),
        ("shard", pa.string()),
    ]
)
GROUP = 50_000  # rows in memory at once while a plan is written


def write_plan(path: Path, rows: Iterable[Row]) -> None:
    """Write a plan as one whole file, a group of rows at a time, however long it is."""
    write_whole(path, lambda file: _write_groups(file, iter(rows)))


def is_whole_plan(path: Path, tasks: int) -> bool:
    """Whether a plan is there, can be read and has so many rows."""
    try:
        return read_table(path).num_rows == tasks
    except (FileNotFoundError, DamagedFile):
        return False


def _write_groups(file: BinaryIO, rows: Iterator[Row]) -> None:
    with pq.ParquetWriter(file, described(PLAN), compression="zstd", write_page_checksum=True) as writer:
        while group := list(islice(rows, GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=PLAN))
