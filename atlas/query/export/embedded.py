"""Tables of an atlas with its images inside, as other tools want them: struct{bytes, path}, read a batch at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from atlas.query.reader import Reader

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
PICTURES_AT_ONCE = 256  # some 30 MB
THREADS = 8


def with_pictures(reader: Reader, text: str) -> Iterator[pa.RecordBatch]:
    """Answer a query, each path in its column `image` replaced by a PICTURE; without bytes where no file is."""
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in reader.batches(text, PICTURES_AT_ONCE):
            paths = batch.column("image")
            data = pool.map(lambda path: _read(reader.path, path), paths.to_pylist())
            pictures = pa.StructArray.from_arrays(
                [pa.array(data, pa.binary()), paths.cast(pa.string())], fields=list(PICTURE), mask=paths.is_null()
            )
            yield batch.set_column(batch.schema.get_field_index("image"), "image", pictures)


def schema_with_pictures(reader: Reader, text: str) -> pa.Schema:
    """The columns of what `with_pictures` yields."""
    schema = schema_of(reader, text)
    return schema.set(schema.get_field_index("image"), pa.field("image", PICTURE))


def schema_of(reader: Reader, text: str) -> pa.Schema:
    """The columns of the answer to a query."""
    return reader.sql(f"SELECT * FROM ({text}) LIMIT 0").schema


def _read(root: Path, path: str | None) -> bytes | None:
    try:
        return (root / path).read_bytes() if path else None
    except FileNotFoundError:
        return None
