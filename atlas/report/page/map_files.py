"""The similarity maps and layouts of an atlas as PNGs; one is drawn anew when its numbers or images
have changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.views import STANDS
from atlas.report.marks import digest_of, mark_of, save_marked
from atlas.report.page.matrix import LayerMap, draw_matrix
from atlas.report.page.paper import Heading, render
from atlas.report.page.plane import draw_layout
from atlas.store.files import readable
from atlas.store.paths import AtlasPaths

DRAWING = "2"  # raised when the drawing changes: older pictures are then stale
MAP_SIDE = 2048  # pixels of a map, at most, without the breaks between families
LEGENDS = {
    "sym": "sym: mean z-score of each on the other's image, in deviations",
    "profile": "profile: Pearson's r over the probe's pictures",
}
Row = dict[str, Any]


def write_maps(paths: AtlasPaths) -> list[Path]:
    """Draw every picture that is stale; returns those that were written."""
    with Atlas(paths.root) as atlas:
        return [*_layer_maps(atlas), *_layouts(atlas)]


def read_map(paths: AtlasPaths, rows: Sequence[Row], images: Mapping[str, Path]) -> LayerMap | None:
    """The map of the layer, measure and probe that rows of `clusters` are of; None while its matrix is another's."""
    first = rows[0]
    stem = paths.map(first["model"], first["layer"], first["measure"], first["probe"])
    matrix = np.load(readable(stem.with_name(f"{stem.name}.npy")))
    families = np.array([row["family"] for row in rows])
    files = [images.get(row["feature"]) for row in rows]
    return (
        LayerMap(matrix, families, files, [str(row["channel"]) for row in rows]) if len(matrix) == len(rows) else None
    )


def representatives(atlas: Atlas) -> dict[str, Path]:
    """By feature, the image that stands for it."""
    rows = atlas.sql(f"""
        SELECT feature, first(image ORDER BY {STANDS}) AS image FROM features
        WHERE status = 'ok' AND image IS NOT NULL GROUP BY feature""").to_pylist()
    return {row["feature"]: atlas.path / row["image"] for row in rows}


def _layer_maps(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("FROM clusters ORDER BY probe, model, layer, measure, place").to_pylist()
    images = representatives(atlas)
    for (probe, model, layer, measure), group in groupby(rows, itemgetter("probe", "model", "layer", "measure")):
        members = list(group)
        layer_map = read_map(atlas.paths, members, images)
        stem = atlas.paths.map(model, layer, measure, probe)
        target = stem.with_name(f"{stem.name}.png")
        if layer_map is None or mark_of(target) == (mark := _mark(layer_map.matrix, members, layer_map.images)):
            continue
        subtitle = f"{len(members):,} features in clustered order   ·   probe {probe}"
        heading = Heading(f"{model} / {layer}", subtitle)
        figure = draw_matrix(layer_map, heading=heading, legend=LEGENDS[measure], side=MAP_SIDE)
        yield save_marked(render(figure), target, title=f"{model} {layer} {measure}", mark=mark)


def _layouts(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("""
        SELECT layout.* FROM layout JOIN (SELECT model, layer, min(layer_index) AS depth FROM features GROUP BY ALL)
        USING (model, layer) ORDER BY probe, model, depth, feature""").to_pylist()
    images = representatives(atlas)
    for (probe, model), group in groupby(rows, itemgetter("probe", "model")):
        members = list(group)
        points = np.array([(row["x"], row["y"]) for row in members], np.float32)
        files = [images.get(row["feature"]) for row in members]
        mark = _mark(points, members, files)
        target = atlas.paths.layout_picture(model, probe)
        if mark_of(target) == mark:
            continue
        subtitle = f"{len(members):,} features, near each other where they answer alike   ·   probe {probe}"
        layers = [row["layer"] for row in members]
        figure = draw_layout(points, files, heading=Heading(model, subtitle), layers=layers)
        yield save_marked(render(figure), target, title=f"{model} layout", mark=mark)


def _mark(numbers: np.ndarray, rows: list[Row], images: Sequence[Path | None]) -> str:
    """Digest of all that a picture shows; an image counts by its path, since its bytes never change."""
    return digest_of("maps", DRAWING, numbers.tobytes(), [sorted(row.items()) for row in rows], list(map(str, images)))
