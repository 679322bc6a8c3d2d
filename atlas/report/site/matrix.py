"""The similarity matrix of a layer in clustered order, one byte for each pair."""

from pathlib import Path

import numpy as np

from atlas.query.atlas import Atlas
from atlas.report.site.numbers import as_bytes
from atlas.report.site.script import Json
from atlas.report.site.site_layer import SiteLayer


def matrix_files(atlas: Atlas, layer: SiteLayer, measure: str) -> tuple[Path, Path] | None:
    """The matrix and its channels, when both are there."""
    place = atlas.paths.map(layer.model, layer.name, measure)
    files = place.with_name(f"{place.name}.npy"), place.with_name(f"{place.name}.order.npy")
    return files if all(file.is_file() for file in files) else None


def read_matrix(files: tuple[Path, Path], clusters: Json) -> Json | None:
    """None when it is not the matrix of the clusters that are known: similarity was stopped while it wrote."""
    try:
        values, order = np.load(files[0]), np.load(files[1])
    except (OSError, ValueError):
        return None
    if values.shape != (len(order), len(order)) or order.tolist() != clusters["order"]:
        return None
    values = values.astype(np.float32)
    np.fill_diagonal(values, np.nan)
    (shown,) = as_bytes(values.reshape(1, -1))
    return None if shown is None else {"channels": order.tolist(), "family": clusters["family"], **shown}
