"""A layer's similarities as they are drawn: the matrix in clustered order, and the family, image and channel of each line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atlas.query.atlas import Atlas
from atlas.query.views import STANDS
from atlas.store.files import readable
from atlas.store.paths import AtlasPaths

Matrix = NDArray[np.floating]  # (n, n)
Families = NDArray[np.integer]  # (n,) from 0, rising


class LayerMap(NamedTuple):
    """A layer's similarities (n, n), whose diagonal is not read, and what its n features are, in clustered order."""

    matrix: Matrix
    families: Families
    images: Sequence[Path | None]
    channels: Sequence[str]


def read_map(paths: AtlasPaths, rows: Sequence[Mapping[str, Any]], images: Mapping[str, Path]) -> LayerMap | None:
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
