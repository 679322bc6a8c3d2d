"""The similarity maps and layouts of an atlas as PNGs; one is drawn anew when its numbers or images
have changed.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.views import STANDS
from atlas.report.marks import digest_of, mark_of, save_marked
from atlas.report.page.maps import draw_map
from atlas.report.page.plane import draw_layout
from atlas.store.files import readable
from atlas.store.paths import AtlasPaths

DRAWING = "1"  # raised when the drawing changes: older pictures are then stale
LEGENDS = {
    "sym": "sym: mean z-score of each on the other's image, in deviations",
    "profile": "profile: Pearson's r over the probe's pictures",
}
Row = dict[str, Any]


def write_maps(paths: AtlasPaths) -> list[Path]:
    """Draw every picture that is stale; returns those that were written."""
    with Atlas(paths.root) as atlas:
        return [*_layer_maps(atlas), *_layouts(atlas)]


def _layer_maps(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("FROM clusters ORDER BY probe, model, layer, measure, place").to_pylist()
    images = _representatives(atlas)
    for (probe, model, layer, measure), group in groupby(
        rows, key=lambda row: (row["probe"], row["model"], row["layer"], row["measure"])
    ):
        members = list(group)
        stem = atlas.paths.map(model, layer, measure, probe)
        matrix = np.load(readable(stem.with_name(f"{stem.name}.npy")))
        files = [images.get(row["feature"]) for row in members]
        mark = _mark(matrix, members, files)
        target = stem.with_name(f"{stem.name}.png")
        if mark_of(target) == mark or len(matrix) != len(members):
            continue
        picture = draw_map(
            matrix,
            np.array([row["family"] for row in members]),
            title=f"{model} / {layer}",
            subtitle=f"{len(members):,} features in clustered order   ·   probe {probe}",
            legend=LEGENDS[measure],
            images=files,
            labels=[str(row["channel"]) for row in members],
        )
        yield save_marked(picture, target, title=f"{model} {layer} {measure}", mark=mark)


def _layouts(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("""
        SELECT layout.* FROM layout JOIN (SELECT model, layer, min(layer_index) AS depth FROM features GROUP BY ALL)
        USING (model, layer) ORDER BY probe, model, depth, feature""").to_pylist()
    images = _representatives(atlas)
    for (probe, model), group in groupby(rows, key=lambda row: (row["probe"], row["model"])):
        members = list(group)
        points = np.array([(row["x"], row["y"]) for row in members], np.float32)
        files = [images.get(row["feature"]) for row in members]
        mark = _mark(points, members, files)
        target = atlas.paths.layout_picture(model, probe)
        if mark_of(target) == mark:
            continue
        subtitle = f"{len(members):,} features, near each other where they answer alike   ·   probe {probe}"
        picture = draw_layout(points, files, title=model, subtitle=subtitle, layers=[row["layer"] for row in members])
        yield save_marked(picture, target, title=f"{model} layout", mark=mark)


def _representatives(atlas: Atlas) -> dict[str, Path]:
    """By feature, the image that stands for it."""
    rows = atlas.sql(f"""
        SELECT feature, first(image ORDER BY {STANDS}) AS image FROM features
        WHERE status = 'ok' AND image IS NOT NULL GROUP BY feature""").to_pylist()
    return {row["feature"]: atlas.path / row["image"] for row in rows}


def _mark(numbers: np.ndarray, rows: list[Row], images: list[Path | None]) -> str:
    """Digest of all that a picture shows; an image counts by its path, since its bytes never change."""
    return digest_of("maps", DRAWING, numbers.tobytes(), [sorted(row.items()) for row in rows], list(map(str, images)))
