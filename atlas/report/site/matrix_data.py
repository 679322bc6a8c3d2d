"""A layer's similarity matrix in clustered order, as data: one byte for each pair."""

from pathlib import Path

import numpy as np

from atlas.query.atlas import Atlas
from atlas.report.site.encoding import Json, as_bytes
from atlas.report.site.site_layer import SiteLayer


def matrix_files(atlas: Atlas, layer: SiteLayer, measure: str) -> tuple[Path, Path] | None:
    """The files of a layer's matrix and of its channels; None unless both are there."""
    stem = atlas.paths.map(layer.model, layer.name, measure)
    files = stem.with_name(f"{stem.name}.npy"), stem.with_name(f"{stem.name}.order.npy")
    return files if all(file.is_file() for file in files) else None


def read_matrix(files: tuple[Path, Path], clusters: Json) -> Json | None:
    """A symmetric matrix: what lies above its diagonal, row by row, with one byte for each pair.

    None when it is not the matrix of the clusters given: similarity was stopped while it wrote.
    """
    try:
        values, order = np.load(files[0]), np.load(files[1])
    except (OSError, ValueError):
        return None
    if values.shape != (len(order), len(order)) or order.tolist() != clusters["order"]:
        return None
    above = values[np.triu_indices(len(order), 1)].astype(np.float32)
    (encoded,) = as_bytes(above[None])
    facts = {"channels": order.tolist(), "family": clusters["family"], "names": clusters["names"]}
    return None if encoded is None else {**facts, **encoded}
