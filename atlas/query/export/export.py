"""Write an atlas for other tools: a new folder that is whole or absent, written some rows at a time."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pc

from atlas.query.export import hf as export_hf
from atlas.query.export import viewer as export_viewer
from atlas.query.export.embedded import schema_of
from atlas.query.reader import Reader

ROWS_AT_ONCE = 2000
CSV_VIEWS = ("features", "neighbors_named", "layers", "matches", "clusters", "layout", "names", "examples")
# of neighbors, what a spreadsheet can open: one measure for each scope, and the first of each list
NEAREST = 5
ROWS = {
    "neighbors_named": f"""WHERE rank <= {NEAREST} AND measure = CASE
        WHEN scope = 'layer' AND probe = 'atlas' THEN 'sym' ELSE 'profile' END"""
}
LISTS = {"features": ("trace", "activation"), "examples": ("heat",)}
# a list as JSON: digits of a float32, not of the float64 next to it, and null for what JSON has no number for
LIST_AS_JSON = "to_json(list_transform({0}, lambda x: CASE WHEN isfinite(x) THEN x::VARCHAR::DOUBLE END)) AS {0}"


class NotEmpty(Exception):
    """The path to write to is a file, or a folder that is not empty."""


def export(reader: Reader, form: str, out: str | Path) -> str:
    """Write the new folder `out` in one of FORMS; returns a sentence on what it holds and how to open it.

    NotEmpty when something is there already; QueryError when the atlas lacks what the form needs.
    """
    out = Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise NotEmpty(f"{out} exists and is not an empty folder: name a new one")
    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        description = FORMS[form](reader, part)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return f"{out}: {description}"


def write_csv(reader: Reader, folder: Path) -> str:
    """Write a CSV file for each of CSV_VIEWS; lists are JSON. Of neighbors only ROWS: all would be 100 KB a feature."""
    for view in CSV_VIEWS:
        lists = ", ".join(LIST_AS_JSON.format(name) for name in LISTS.get(view, ()))
        text = f"SELECT {f'* REPLACE ({lists})' if lists else '*'} FROM {view} {ROWS.get(view, '')}"
        with pc.CSVWriter(folder / f"{view}.csv", schema_of(reader, text)) as writer:
            for batch in reader.batches(text, ROWS_AT_ONCE):
                writer.write_batch(batch)
    files = ", ".join(f"{view}.csv" for view in CSV_VIEWS)
    return f"{len(CSV_VIEWS)} tables: {files}; of neighbors the {NEAREST} first by one measure (`atlas sql` has all)"


FORMS: dict[str, Callable[[Reader, Path], str]] = {
    "embedding-atlas": export_viewer.write,
    "hf": export_hf.write,
    "csv": write_csv,
}
