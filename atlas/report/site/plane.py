"""Where the features of a model lie in the plane, by probe."""

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.site.script import Json

DIGITS = 4  # after the point


def mapped_layers(atlas: Atlas) -> dict[str, set[str]]:
    """By model, the layers of which any feature has a place."""
    rows = atlas.sql("SELECT model, list(DISTINCT layer) AS layers FROM layout GROUP BY model ORDER BY model")
    return {row["model"]: set(row["layers"]) for row in rows.to_pylist()}


def plane(atlas: Atlas, model: str, layers: list[str]) -> Json:
    """Features of some layers; their names stand beside the numbers, so that a map can be read by itself."""
    rows = atlas.sql(f"SELECT * FROM layout WHERE model = {quoted(model)} ORDER BY probe, feature")
    numbers = {layer: number for number, layer in enumerate(layers)}
    found: Json = {}
    columns = [rows[name].to_pylist() for name in ("probe", "layer", "channel")]
    columns += [np.round(rows[name].to_numpy().astype(float), DIGITS).tolist() for name in ("x", "y")]
    for probe, layer, *place in zip(*columns, strict=True):
        if layer in numbers:
            found.setdefault(probe, []).append((numbers[layer], *place))
    names = ("layer", "channel", "x", "y")
    return {
        probe: {"layers": layers, **dict(zip(names, zip(*places, strict=True), strict=True))}
        for probe, places in found.items()
    }
