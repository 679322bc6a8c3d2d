"""What models have answered so far: which pictures are left for which layers, and a layer's answers as one matrix."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float32

from atlas.similarity.atlas_images import Picture
from atlas.store.index import files_under, read_table
from atlas.store.paths import AtlasPaths

Left = dict[tuple[str, ...], list[Picture]]  # layers: the pictures whose responses there are missing


def left_to_probe(
    paths: AtlasPaths, probe: str, model: str, *, weights: str, layers: Iterable[str], pictures: Sequence[Picture]
) -> Left:
    """The pictures that a model has yet to look at, by the layers that it has yet to tell of."""
    known = {layer: _answered(paths, probe, model, layer, weights) for layer in layers}
    left: Left = {}
    for picture in pictures:
        missing = tuple(layer for layer, ids in known.items() if picture.id not in ids)
        if missing:
            left.setdefault(missing, []).append(picture)
    return left


def _answered(paths: AtlasPaths, probe: str, model: str, layer: str, weights: str) -> set[str]:
    found: set[str] = set()
    for path in files_under(paths.layer_responses(probe, model, layer)):
        table = read_table(path, ("picture", "weights"))
        rows = zip(table["picture"].to_pylist(), table["weights"].to_pylist(), strict=True)
        found.update(picture for picture, made_with in rows if made_with == weights)
    return found


def read_layer(
    paths: AtlasPaths,
    probe: str,
    model: str,
    layer: str,
    *,
    weights: str,
    place: Mapping[str, int],
    channels: Sequence[int],
    column: str = "mean",
) -> Float32[np.ndarray, "n c"]:
    """Activations (column mean or max) of some channels; the row of a picture is `place[picture.id]`, NaN: no answer."""
    values = np.full((len(place), len(channels)), np.nan, np.float32)
    for path in files_under(paths.layer_responses(probe, model, layer)):
        table = read_table(path, ("picture", "weights", column))
        picture, made_with = table["picture"].to_pylist(), table["weights"].to_pylist()
        kept = [row for row, one in enumerate(picture) if one in place and made_with[row] == weights]
        if kept:
            rows = table[column].combine_chunks().flatten().to_numpy().reshape(len(picture), -1)
            values[[place[picture[row]] for row in kept]] = rows[np.ix_(kept, channels)]
    return values
