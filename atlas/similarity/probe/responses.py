"""The responses on disk: which pictures are missing for which layers,
and a layer's responses as one matrix.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from atlas.similarity.atlas_images import Picture
from atlas.store.index import files_under, read_table

# layers: the pictures whose responses are missing in just these
MissingPictures = dict[tuple[str, ...], list[Picture]]


def missing_pictures(folders: Mapping[str, Path], pictures: Sequence[Picture], weights: str) -> MissingPictures:
    """The pictures that a model has yet to look at, by the layers whose responses are missing.

    folders: where the responses of each layer lie; weights: those that a response must be of.
    OSError, with the file, when one is damaged.
    """
    answered = {layer: _answered(folder, weights) for layer, folder in folders.items()}
    missing: MissingPictures = {}
    for picture in pictures:
        layers = tuple(layer for layer, ids in answered.items() if picture.id not in ids)
        if layers:
            missing.setdefault(layers, []).append(picture)
    return missing


def _answered(folder: Path, weights: str) -> set[str]:
    ids: set[str] = set()
    for path in files_under(folder):
        table = read_table(path, ("picture", "weights"))
        rows = zip(table["picture"].to_pylist(), table["weights"].to_pylist(), strict=True)
        ids.update(picture for picture, used in rows if used == weights)
    return ids


def read_layer(
    folder: Path, rows: Mapping[str, int], channels: Sequence[int], *, weights: str, column: str = "mean"
) -> Float32[np.ndarray, "n c"]:
    """A layer's responses to some pictures, in some channels; NaN where a picture has no response.

    folder: where they lie; rows: the row of each picture, by its id; weights: those that a response must be of;
    column: `mean` or `max`, over the channel's map. OSError, with the file, when one is damaged.
    """
    values = np.full((len(rows), len(channels)), np.nan, np.float32)
    for path in files_under(folder):
        table = read_table(path, ("picture", "weights", column))
        pictures, weights_used = table["picture"].to_pylist(), table["weights"].to_pylist()
        lines = [line for line, id_ in enumerate(pictures) if id_ in rows and weights_used[line] == weights]
        if lines:
            responses = table[column].combine_chunks().flatten().to_numpy().reshape(len(pictures), -1)
            values[[rows[pictures[line]] for line in lines]] = responses[np.ix_(lines, channels)]
    return values
