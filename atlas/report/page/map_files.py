"""The similarity maps and layouts of an atlas as pictures: every one whose numbers or images are not those it shows."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.views import STANDS
from atlas.report.page.maps import draw_map
from atlas.report.page.plane import draw_layout
from atlas.report.sheets.marked import mark_of, save_marked
from atlas.store.paths import AtlasPaths

DRAWING = "1"  # raised when the drawing changes: older pictures are then stale
LEGENDS = {
    "sym": "sym: mean z-score of each on the other's image, in deviations",
    "profile": "profile: Pearson's r over the probe's pictures",
}
Row = dict[str, Any]


def write_maps(paths: AtlasPaths) -> list[Path]:
    """Draw what is stale; the pictures that were written."""
    with Atlas(paths.root) as atlas:
        return [*_layer_maps(atlas), *_layouts(atlas)]


def _layer_maps(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("FROM clusters ORDER BY probe, model, layer, measure, place").to_pylist()
    images = _standing(atlas)
    for (probe, model, layer, measure), group in groupby(
        rows, key=lambda row: (row["probe"], row["model"], row["layer"], row["measure"])
    ):
        members = list(group)
        place = atlas.paths.map(model, layer, measure, probe)
        matrix = np.load(place.with_name(f"{place.name}.npy"))
        pictures = [images.get(row["feature"]) for row in members]
        mark = _mark(matrix, members, pictures)
        target = place.with_name(f"{place.name}.png")
        if mark_of(target) == mark or len(matrix) != len(members):
            continue
        drawn = draw_map(
            matrix,
            np.array([row["family"] for row in members]),
            title=f"{model} / {layer}",
            subtitle=f"{len(members):,} features in clustered order   ·   probe {probe}",
            legend=LEGENDS[measure],
            images=pictures,
            labels=[str(row["channel"]) for row in members],
        )
        yield save_marked(drawn, target, title=f"{model} {layer} {measure}", mark=mark)


def _layouts(atlas: Atlas) -> Iterator[Path]:
    rows = atlas.sql("""
        SELECT layout.* FROM layout JOIN (SELECT model, layer, min(layer_index) AS depth FROM features GROUP BY ALL)
        USING (model, layer) ORDER BY probe, model, depth, feature""").to_pylist()
    images = _standing(atlas)
    for (probe, model), group in groupby(rows, key=lambda row: (row["probe"], row["model"])):
        members = list(group)
        points = np.array([(row["x"], row["y"]) for row in members], np.float32)
        pictures = [images.get(row["feature"]) for row in members]
        mark = _mark(points, members, pictures)
        target = atlas.paths.layout_picture(model, probe)
        if mark_of(target) == mark:
            continue
        subtitle = f"{len(members):,} features, near each other where they answer alike   ·   probe {probe}"
        drawn = draw_layout(points, pictures, title=model, subtitle=subtitle, layers=[row["layer"] for row in members])
        yield save_marked(drawn, target, title=f"{model} layout", mark=mark)


def _standing(atlas: Atlas) -> dict[str, Path]:
    """The image that stands for each feature."""
    rows = atlas.sql(f"""
        SELECT feature, first(image ORDER BY {STANDS}) AS image FROM features
        WHERE status = 'ok' AND image IS NOT NULL GROUP BY feature""").to_pylist()
    return {row["feature"]: atlas.path / row["image"] for row in rows}


def _mark(numbers: np.ndarray, rows: list[Row], pictures: list[Path | None]) -> str:
    """Hash of what a picture shows; images are known by their paths, whose bytes never change."""
    shown = blake2b(numbers.tobytes(), digest_size=12)
    shown.update(repr((DRAWING, [sorted(row.items()) for row in rows], list(map(str, pictures)))).encode())
    return shown.hexdigest()
