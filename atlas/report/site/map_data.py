"""The two maps of the site as data: a layer's similarity matrix in clustered order, and a model's
plane of features.
"""

from pathlib import Path

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.site.encoding import Json, as_bytes
from atlas.report.site.site_layer import SiteLayer
from atlas.store.files import readable

DIGITS = 4  # of a coordinate, after the point


def matrix_files(atlas: Atlas, layer: SiteLayer, measure: str) -> tuple[Path, Path] | None:
    """The files of a layer's matrix and of its channels; None unless both are there."""
    stem = atlas.paths.map(layer.model, layer.name, measure)
    files = stem.with_name(f"{stem.name}.npy"), stem.with_name(f"{stem.name}.order.npy")
    return files if all(file.is_file() for file in files) else None


def read_matrix(files: tuple[Path, Path], clusters: Json) -> Json | None:
    """A matrix with one byte for each pair.

    None when it is not the matrix of the clusters given: similarity was stopped while it wrote.
    """
    try:
        values, order = np.load(readable(files[0])), np.load(readable(files[1]))
    except (OSError, ValueError):
        return None
    if values.shape != (len(order), len(order)) or order.tolist() != clusters["order"]:
        return None
    values = values.astype(np.float32)
    np.fill_diagonal(values, np.nan)
    (encoded,) = as_bytes(values.reshape(1, -1))
    return None if encoded is None else {"channels": order.tolist(), "family": clusters["family"], **encoded}


def mapped_layers(atlas: Atlas) -> dict[str, set[str]]:
    """By model, the layers of which any feature lies in the plane."""
    rows = atlas.sql("SELECT model, list(DISTINCT layer) AS layers FROM layout GROUP BY model ORDER BY model")
    return {row["model"]: set(row["layers"]) for row in rows.to_pylist()}


def read_plane(atlas: Atlas, model: str, layers: list[str]) -> Json:
    """By probe, where the features of some layers lie.

    The names of the layers stand beside their numbers, so that a map can be read without the overview.
    """
    rows = atlas.sql(f"SELECT * FROM layout WHERE model = {quoted(model)} ORDER BY probe, feature")
    numbers = {layer: number for number, layer in enumerate(layers)}
    points: Json = {}
    columns = [rows[name].to_pylist() for name in ("probe", "layer", "channel")]
    columns += [np.round(rows[name].to_numpy().astype(float), DIGITS).tolist() for name in ("x", "y")]
    for probe, layer, *point in zip(*columns, strict=True):
        if layer in numbers:
            points.setdefault(probe, []).append((numbers[layer], *point))
    names = ("layer", "channel", "x", "y")
    return {
        probe: {"layers": layers, **dict(zip(names, zip(*some, strict=True), strict=True))}
        for probe, some in points.items()
    }
