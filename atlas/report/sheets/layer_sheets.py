"""Contact sheets, each of every image of a layer under one metric; one is drawn anew only when its
rows have changed.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.marks import mark_of, save_marked
from atlas.report.sheets.grid import Cell, column_count, draw_sheet, thumb_size
from atlas.store.paths import VARIANT_ENDING, AtlasPaths

DRAWING = "2"  # raised when the drawing changes: older sheets are then stale
ORDER = "channel, target <> 'channel', target, seed, variant, recipe, task"
# the suffix of an image that was made with other weights or another recipe than the atlas's first
VARIANT = f"coalesce('v' || nullif(regexp_extract(image, '{VARIANT_ENDING}', 1), ''), '')"
TELLING = ("target", "seed", "recipe", "variant")  # columns that may tell two images of a channel apart
Row = dict[str, Any]
Sheet = tuple[str, str, str]  # model, layer, metric


def write_sheets(paths: AtlasPaths) -> list[Path]:
    """Draw every sheet whose rows are not those it shows.

    Returns the sheets that were written. A sheet holds the digest of its rows, so clocks and restarts do not matter.
    """
    with Atlas(paths.root) as atlas:
        marks = _row_digests(atlas)
        stale = [sheet for sheet, mark in marks.items() if mark_of(paths.sheet(*sheet)) != mark]
        return [_write_sheet(atlas, sheet, marks[sheet]) for sheet in stale]


def _write_sheet(atlas: Atlas, sheet: Sheet, mark: str) -> Path:
    """Draw one layer under one metric: channels in order, then targets, then seeds."""
    model, layer, metric = sheet
    where = f"model = {quoted(model)} AND layer = {quoted(layer)} AND metric = {quoted(metric)}"
    rows = atlas.sql(f"SELECT *, {VARIANT} AS variant FROM tasks WHERE {where} ORDER BY {ORDER}").to_pylist()
    telling = varying(rows, TELLING)
    cells = [cell(atlas, row, " ".join([*_labels(row), *tags(row, telling)])) for row in rows]
    thumb = thumb_size(len(cells))
    title, subtitle = f"{model} / {layer}", f"{metric}   ·   {summary(rows)}"
    picture = draw_sheet(title, subtitle, cells, thumb=thumb, columns=column_count(len(cells), thumb))
    return save_marked(picture, atlas.paths.sheet(model, layer, metric), title=f"{title} {metric}", mark=mark)


def _row_digests(atlas: Atlas) -> dict[Sheet, str]:
    """For every sheet that has an image to show, the digest of all that it shows: by DuckDB, since rows are many."""
    rows = atlas.sql(f"""
        SELECT model, layer, metric, md5({quoted(DRAWING)} || string_agg(
            concat_ws(' ', task, state, image_sha256, channel, target, seed, recipe, name), ';' ORDER BY task)) AS mark
        FROM tasks GROUP BY model, layer, metric HAVING count(image) > 0
        ORDER BY model, min(layer_index), layer, metric""").to_pylist()
    return {(row["model"], row["layer"], row["metric"]): row["mark"] for row in rows}


def _labels(row: Row) -> list[str]:
    """The channel, and the first part of its name, as `tabby` of `tabby, tabby cat`."""
    return [str(row["channel"]), *([row["name"].partition(",")[0]] if row["name"] else [])]


def cell(atlas: Atlas, row: Row, label: str) -> Cell:
    """The cell of a row of `tasks`."""
    return Cell(label, row["state"], atlas.path / row["image"] if row["image"] else None)


def summary(rows: list[Row]) -> str:
    """Recipes, variants and counts of images by state, in words."""
    states = Counter(row["state"] for row in rows)
    recipes = sorted({row["recipe"] for row in rows if row["recipe"]})
    images = states["ok"] + states["dead"]
    variants = sorted({row["variant"] for row in rows if row["variant"]})
    parts = [f"recipe {', '.join(recipes)}", f"{images:,} image{'s' * (images != 1)}"]
    parts += [f"with {', '.join(variants)}: other weights or recipe, see atlas.json"] if variants else []
    words = {"dead": "dead", "failed": "failed", "left": "not made yet"}
    return "   ·   ".join(parts + [f"{states[state]:,} {word}" for state, word in words.items() if states[state]])


def varying(rows: list[Row], names: Iterable[str]) -> list[str]:
    """The columns in which the rows differ: only those are worth a label."""
    return [name for name in names if len({row[name] for row in rows}) > 1]


def tags(row: Row, names: Iterable[str]) -> list[str]:
    """Words that tell an image from its neighbors; the atlas's first weights and recipe need none."""
    words = [f"s{row[name]}" if name == "seed" else row[name] for name in names]
    return [str(word) for word in words if word]
