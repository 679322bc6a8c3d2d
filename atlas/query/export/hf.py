"""An atlas as Hugging Face's datasets read it: a card that names the tables, and Parquet files with the images inside."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.query.atlas import Atlas
from atlas.query.export.embedded import PICTURE, schema_of, with_pictures
from atlas.store.comparisons import read_comparisons
from atlas.sweep.identity import fingerprint

FILE_BYTES = 256 << 20  # of one file, about: what the Hub shows and streams well
ROWS = 50_000  # neighbors held at once
FEATURES, NEIGHBORS = "SELECT * FROM features", "SELECT * FROM neighbors_named"
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


def write(atlas: Atlas, folder: Path) -> str:
    """Write the card and both tables."""
    (folder / "data").mkdir()
    described, mark = _described(schema_of(atlas, FEATURES)), _mark(atlas)
    count = _write_files(folder / "data" / f"features-{mark}", described, with_pictures(atlas, FEATURES))
    neighbors = folder / "data" / f"neighbors-{mark}"
    _write_files(neighbors, schema_of(atlas, NEIGHBORS), atlas.batches(NEIGHBORS, ROWS))
    name = atlas.manifest.get("name") or atlas.path.name
    (folder / "README.md").write_text(CARD.format(name=name, mark=mark), encoding="utf-8")
    return f'{count:,} images; open it with datasets.load_dataset("…")'


def _mark(atlas: Atlas) -> str:
    """What tells this export from others: datasets' cache knows a folder by its name and its files' names alone."""
    images = "SELECT md5(string_agg(concat(task, image_sha256), ' ' ORDER BY task)) AS mark FROM features"
    return fingerprint([atlas.sql(images).to_pylist(), read_comparisons(atlas.paths)], size=4)


def _write_files(beginning: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Rows into one file after another, each up to a size; one without rows when there are none."""
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


def _described(schema: pa.Schema) -> pa.Schema:
    """The schema with what datasets must be told: which column is a picture."""
    features = {field.name: _kind(field.type) for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _kind(kind: pa.DataType) -> dict[str, Any]:
    if kind == PICTURE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": _kind(kind.value_type), "_type": "Sequence"}  # all versions of datasets read it as a list
    return {"dtype": NAMES.get(kind, str(kind)), "_type": "Value"}


NAMES = {pa.float32(): "float32", pa.float64(): "float64"}  # Arrow says float and double
