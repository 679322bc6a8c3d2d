"""An atlas handed to other tools: a new folder that is whole or absent, written some rows at a time."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pc

from atlas.query.atlas import Atlas
from atlas.query.export import hf as export_hf
from atlas.query.export import viewer as export_viewer

ROWS = 2000  # rows of a table held at once
CSV = ("features", "neighbors_named", "layers", "matches", "clusters", "layout", "examples")
# a list as JSON: digits of a float32, not of the float64 next to it, and null for what JSON has no number for
JSON = "to_json(list_transform({0}, lambda x: CASE WHEN isfinite(x) THEN x::VARCHAR::DOUBLE END)) AS {0}"


class NotEmpty(Exception):
    """The place to write to holds something already."""


def export(atlas: Atlas, form: str, out: str | Path) -> str:
    """Write the new folder `out` in one of FORMS; returns a sentence on what it is and how to open it.

    NotEmpty when something is there already; QueryError when the atlas has not what the form needs.
    """
    out = Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise NotEmpty(f"{out} exists and is not an empty folder: name a new one")
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        told = FORMS[form](atlas, part)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return f"{out}: {told}"


def write_csv(atlas: Atlas, folder: Path) -> str:
    """A CSV file for each view that says something of features; lists are JSON."""
    lists = ", ".join(JSON.format(name) for name in ("trace", "activation"))
    for view in CSV:
        columns = f"* REPLACE ({lists})" if view == "features" else "*"
        batches = atlas.batches(f"SELECT {columns} FROM {view}", ROWS)
        schema = atlas.sql(f"SELECT {columns} FROM {view} LIMIT 0").schema
        with pc.CSVWriter(folder / f"{view}.csv", schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    return f"{len(CSV)} tables: {', '.join(f'{view}.csv' for view in CSV)}"


FORMS: dict[str, Callable[[Atlas, Path], str]] = {
    "embedding-atlas": export_viewer.write,
    "hf": export_hf.write,
    "csv": write_csv,
}
