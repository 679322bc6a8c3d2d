"""Images of an atlas inside its tables, as other tools want them: struct{bytes, path}, read a batch at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from atlas.query.atlas import Atlas

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
ROWS = 256  # images held at once: some 30 MB
THREADS = 8


def with_pictures(atlas: Atlas, text: str) -> Iterator[pa.RecordBatch]:
    """Answer a query, its column `image` replaced by the picture that lies there; no bytes where there is none."""
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in atlas.batches(text, ROWS):
            paths = batch.column("image")
            data = pool.map(lambda path: _read(atlas.path, path), paths.to_pylist())
            pictures = pa.StructArray.from_arrays(
                [pa.array(data, pa.binary()), paths.cast(pa.string())], fields=list(PICTURE), mask=paths.is_null()
            )
            yield batch.set_column(batch.schema.get_field_index("image"), "image", pictures)


def schema_of(atlas: Atlas, text: str) -> pa.Schema:
    """The columns of that answer."""
    schema = atlas.sql(f"SELECT * FROM ({text}) LIMIT 0").schema
    place = schema.get_field_index("image")
    return schema.set(place, pa.field("image", PICTURE)) if place >= 0 else schema


def _read(root: Path, path: str | None) -> bytes | None:
    try:
        return (root / path).read_bytes() if path else None
    except FileNotFoundError:
        return None
