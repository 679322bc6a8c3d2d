"""Where the features of a model lie in the plane, by probe."""

from typing import Any

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.sources import quoted

DIGITS = 4  # after the point
Json = dict[str, Any]


def mapped_models(atlas: Atlas) -> list[str]:
    return atlas.sql("SELECT DISTINCT model FROM layout ORDER BY model")["model"].to_pylist()


def plane(atlas: Atlas, model: str, layers: list[str]) -> Json:
    """layers: the names of the model's, in the order in which they are numbered."""
    rows = atlas.sql(f"SELECT * FROM layout WHERE model = {quoted(model)} ORDER BY probe, feature")
    numbers = {layer: number for number, layer in enumerate(layers)}
    found: Json = {}
    columns = [rows[name].to_pylist() for name in ("probe", "layer", "channel")]
    columns += [np.round(rows[name].to_numpy().astype(float), DIGITS).tolist() for name in ("x", "y")]
    for probe, layer, *place in zip(*columns, strict=True):
        if layer in numbers:
            found.setdefault(probe, []).append((numbers[layer], *place))
    names = ("layer", "channel", "x", "y")
    return {probe: dict(zip(names, zip(*places, strict=True), strict=True)) for probe, places in found.items()}
