"""Write an atlas for Hugging Face's datasets: a card that names the tables, and Parquet files with the images inside."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.query.export.embedded import PICTURE, schema_of, schema_with_pictures, with_pictures
from atlas.query.reader import Reader
from atlas.store.comparisons import read_comparisons
from atlas.sweep.identity import fingerprint

FILE_BYTES = 256 << 20  # about the size of a file that the Hub shows and streams well
NEIGHBORS_AT_ONCE = 50_000
FEATURES_TEXT, NEIGHBORS_TEXT = "SELECT * FROM features", "SELECT * FROM neighbors_named"
DTYPES = {pa.float32(): "float32", pa.float64(): "float64"}  # Arrow says float and double
CARD = """\
---
pretty_name: {name}
tags: [feature-visualization, interpretability]
configs:
- config_name: features
  data_files: data/features-{mark}-*.parquet
  default: true
- config_name: neighbors
  data_files: data/neighbors-{mark}-*.parquet
---

# {name}

An atlas of features: images that drive the channels of vision networks, and how alike these are.

    from datasets import load_dataset
    features = load_dataset("{name}", split="train")                 # one row for each image; `image` is a picture
    neighbors = load_dataset("{name}", "neighbors", split="train")   # who is like whom, beside a rotated baseline
"""


def write(reader: Reader, folder: Path) -> str:
    """Write the card and both tables; returns a sentence on them."""
    (folder / "data").mkdir()
    mark = _mark(reader)
    features, neighbors = (folder / "data" / f"{name}-{mark}" for name in ("features", "neighbors"))
    schema = _with_column_kinds(schema_with_pictures(reader, FEATURES_TEXT))
    count = _write_files(features, schema, with_pictures(reader, FEATURES_TEXT))
    neighbor_rows = reader.batches(NEIGHBORS_TEXT, NEIGHBORS_AT_ONCE)
    _write_files(neighbors, schema_of(reader, NEIGHBORS_TEXT), neighbor_rows)
    name = reader.manifest.get("name") or reader.path.name
    (folder / "README.md").write_text(CARD.format(name=name, mark=mark), encoding="utf-8")
    return f'{count:,} images; open it with datasets.load_dataset("…")'


def _mark(reader: Reader) -> str:
    """A digest in the files' names: datasets' cache tells folders of one name apart only by the names of their files."""
    text = "SELECT md5(string_agg(concat(task, image_sha256, name), ' ' ORDER BY task)) AS mark FROM features"
    return fingerprint([reader.sql(text).to_pylist(), read_comparisons(reader.paths)], size=4)


def _write_files(beginning: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write rows into files of about FILE_BYTES, at least one, named `<beginning>-<number>`; returns how many rows."""
    number, rows, size = 0, 0, 0
    writer = _file(beginning, number, schema)
    try:
        for batch in batches:
            if size > FILE_BYTES:
                writer.close()
                number, size = number + 1, 0
                writer = _file(beginning, number, schema)
            writer.write_batch(batch.cast(schema))
            rows, size = rows + batch.num_rows, size + batch.nbytes
    finally:
        writer.close()
    return rows


def _file(beginning: Path, number: int, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(f"{beginning}-{number:05}.parquet", schema, compression="zstd")


def _with_column_kinds(schema: pa.Schema) -> pa.Schema:
    """The schema with the metadata by which datasets knows which column is a picture."""
    features = {field.name: _kind(field.type) for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _kind(arrow_type: pa.DataType) -> dict[str, Any]:
    """An Arrow type as datasets writes it."""
    if arrow_type == PICTURE:
        return {"_type": "Image"}
    if pa.types.is_list(arrow_type):
        # "Sequence" is a list to all versions of datasets
        return {"feature": _kind(arrow_type.value_type), "_type": "Sequence"}
    return {"dtype": DTYPES.get(arrow_type, str(arrow_type)), "_type": "Value"}
