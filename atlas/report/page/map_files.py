"""The similarity maps and layouts of an atlas as PNGs; one is drawn anew when its numbers or images
have changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from atlas.query.atlas import Atlas
from atlas.report.marks import digest_of, mark_of, save_marked
from atlas.report.page.layer_map import read_map, representatives
from atlas.store.paths import AtlasPaths

DRAWING = "2"  # raised when the drawing changes: older pictures are then stale
LEGENDS = {
    "sym": "sym: mean z-score of each on the other's image, in deviations",
    "profile": "profile: Pearson's r over the probe's pictures",
}
Row = dict[str, Any]


def write_maps(paths: AtlasPaths) -> list[Path]:
    """Draw every picture that is stale; returns those that were written."""
    with Atlas(paths.root) as atlas:
        images = representatives(atlas)
        return [*_layer_maps(atlas, images), *_layouts(atlas, images)]


def _layer_maps(atlas: Atlas, images: Mapping[str, Path]) -> Iterator[Path]:
    rows = atlas.sql("FROM clusters ORDER BY probe, model, layer, measure, place").to_pylist()
    for (probe, model, layer, measure), group in groupby(
        rows, key=lambda row: (row["probe"], row["model"], row["layer"], row["measure"])
    ):
        members = list(group)
        layer_map = read_map(atlas.paths, members, images)
        stem = atlas.paths.map(model, layer, measure, probe)
        target = stem.with_name(f"{stem.name}.png")
        if layer_map is None or mark_of(target) == (mark := _mark(layer_map.matrix, members, layer_map.images)):
            continue
        words = f"{model} / {layer}", f"{len(members):,} features in clustered order   ·   probe {probe}"
        picture = _pages().map_picture(layer_map, words, LEGENDS[measure])
        yield save_marked(picture, target, title=f"{model} {layer} {measure}", mark=mark)


def _layouts(atlas: Atlas, images: Mapping[str, Path]) -> Iterator[Path]:
    rows = atlas.sql("""
        SELECT layout.* FROM layout JOIN (SELECT model, layer, min(layer_index) AS depth FROM features GROUP BY ALL)
        USING (model, layer) ORDER BY probe, model, depth, feature""").to_pylist()
    for (probe, model), group in groupby(rows, key=lambda row: (row["probe"], row["model"])):
        members = list(group)
        points = np.array([(row["x"], row["y"]) for row in members], np.float32)
        files = [images.get(row["feature"]) for row in members]
        mark = _mark(points, members, files)
        target = atlas.paths.layout_picture(model, probe)
        if mark_of(target) == mark:
            continue
        words = model, f"{len(members):,} features, near each other where they answer alike   ·   probe {probe}"
        picture = _pages().layout_picture(points, files, words, [row["layer"] for row in members])
        yield save_marked(picture, target, title=f"{model} layout", mark=mark)


def _pages() -> ModuleType:
    # it loads matplotlib, and most runs have nothing to draw
    from atlas.report.page import map_pages

    return map_pages


def _mark(numbers: np.ndarray, rows: list[Row], images: Sequence[Path | None]) -> str:
    """Digest of all that a picture shows; an image counts by its path, since its bytes never change."""
    return digest_of("maps", DRAWING, numbers.tobytes(), [sorted(row.items()) for row in rows], list(map(str, images)))
