"""Contact sheets: every image of a layer under one metric; drawn anew only when stale."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.sheets.grid import Cell, column_count, draw_sheet, thumb_size
from atlas.report.sheets.marked import mark_of, save_marked
from atlas.store.paths import VARIANT_ENDING, AtlasPaths

DRAWING = "1"  # raised when the drawing changes: older sheets are then stale
ORDER = "channel, target <> 'channel', target, seed, variant, recipe, task"
# an image of other weights or another recipe than the atlas's first has a suffix, and is never shown without
VARIANT = f"coalesce('v' || nullif(regexp_extract(image, '{VARIANT_ENDING}', 1), ''), '')"
TELLING = ("target", "seed", "recipe", "variant")  # what may tell two images of a channel apart
Row = dict[str, Any]
Sheet = tuple[str, str, str]  # model, layer, metric


def write_sheets(paths: AtlasPaths) -> list[Path]:
    """Draw every sheet whose rows are not those it shows.

    Returns the sheets that were written. A sheet holds the hash of its rows, so clocks and restarts do not matter.
    """
    written = []
    with Atlas(paths.root) as atlas:
        for (model, layer, metric), mark in _marks(atlas).items():
            path = paths.sheet(model, layer, metric)
            if mark_of(path) != mark:
                written.append(write_sheet(atlas, model, layer, metric=metric, mark=mark))
    return written


def write_sheet(atlas: Atlas, model: str, layer: str, *, metric: str, mark: str | None = None) -> Path:
    """Draw one layer under one metric: channels in order, then targets, then seeds."""
    if mark is None:
        mark = _marks(atlas, f"WHERE {_where(model, layer, metric)}").get((model, layer, metric), "")
    where = _where(model, layer, metric)
    rows = atlas.sql(f"SELECT *, {VARIANT} AS variant FROM tasks WHERE {where} ORDER BY {ORDER}").to_pylist()
    telling = varying(rows, TELLING)
    cells = [cell(atlas, row, " ".join([str(row["channel"]), *tags(row, telling)])) for row in rows]
    thumb = thumb_size(len(cells))
    title, subtitle = f"{model} / {layer}", f"{metric}   ·   {told(rows)}"
    sheet = draw_sheet(title, subtitle, cells, thumb=thumb, columns=column_count(len(cells), thumb))
    return save_marked(sheet, atlas.paths.sheet(model, layer, metric), title=f"{title} {metric}", mark=mark)


def _marks(atlas: Atlas, where: str = "") -> dict[Sheet, str]:
    """For every sheet that has an image to show, the hash of all that it shows."""
    rows = atlas.sql(f"""
        SELECT model, layer, metric, md5({quoted(DRAWING)} || string_agg(
            concat_ws(' ', task, state, image_sha256, channel, target, seed, recipe), ';' ORDER BY task)) AS mark
        FROM tasks {where} GROUP BY model, layer, metric HAVING count(image) > 0
        ORDER BY model, min(layer_index), layer, metric""").to_pylist()
    return {(row["model"], row["layer"], row["metric"]): row["mark"] for row in rows}


def cell(atlas: Atlas, row: Row, label: str) -> Cell:
    return Cell(label, row["state"], atlas.path / row["image"] if row["image"] else None)


def told(rows: list[Row]) -> str:
    """Recipes and counts, in words."""
    states = Counter(row["state"] for row in rows)
    recipes = sorted({row["recipe"] for row in rows if row["recipe"]})
    made = states["ok"] + states["dead"]
    variants = sorted({row["variant"] for row in rows if row["variant"]})
    parts = [f"recipe {', '.join(recipes)}", f"{made:,} image{'s' * (made != 1)}"]
    parts += [f"with {', '.join(variants)}: other weights or recipe, see atlas.json"] if variants else []
    words = {"dead": "dead", "failed": "failed", "left": "not made yet"}
    return "   ·   ".join(parts + [f"{states[state]:,} {word}" for state, word in words.items() if states[state]])


def varying(rows: list[Row], names: Iterable[str]) -> list[str]:
    """The columns that tell the rows apart: only those are worth a label."""
    return [name for name in names if len({row[name] for row in rows}) > 1]


def tags(row: Row, names: Iterable[str]) -> list[str]:
    """What tells an image from its neighbors; the atlas's first weights and recipe need no word."""
    words = [f"s{row[name]}" if name == "seed" else row[name] for name in names]
    return [str(word) for word in words if word]


def _where(model: str, layer: str, metric: str) -> str:
    return f"model = {quoted(model)} AND layer = {quoted(layer)} AND metric = {quoted(metric)}"
