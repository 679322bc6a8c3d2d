"""The bank: what the comparison of features reads, layer by layer,
as plain arrays on disk that every worker sees.

Features stand in the order of their addresses, so ties are settled by position.
A layer is named by its number there.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from atlas.similarity.compare.facts import Facts, LayerMeasurement, PictureRoles, measure_layer
from atlas.similarity.compare.spans import LayerSpan, spans_of
from atlas.store.bucket_path import path_of
from atlas.store.files import write_whole
from atlas.store.local_folder import LocalFolder


class Bank:
    """A bank on disk, opened for reading."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = path_of(folder)
        self._local = LocalFolder(self.folder)
        contents = json.loads((self.folder / "bank.json").read_text())
        self.addresses: list[str] = contents["addresses"]
        self.spans = tuple(LayerSpan(**span) for span in contents["spans"])
        self.own_images: bool = contents["own_images"]

    def facts(self, number: int) -> Facts:
        """What is known of each channel of a layer."""
        with np.load(self._local.file(_facts(self.folder, number).name)) as arrays:
            return Facts(**arrays)

    def rows(self, number: int, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "c n"]:
        """Standardised responses of a layer's features, or of some of them, over the probe's pictures.

        They stay in the file, which is mapped: all workers of a machine share its pages, and nothing is copied.
        """
        return np.load(self._local.file(f"{number}.rows.npy"), mmap_mode="c")[start:stop]

    def driven(
        self, number: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "f c"]:
        """driven[f, g]: the response of a layer's channel g to the image of feature f of the bank."""
        return np.array(np.load(self._local.file(f"{number}.driven.npy"), mmap_mode="r")[rows, columns])


def begin_bank(folder: Path, roles: PictureRoles) -> Bank:
    """Make a bank that knows what it is of; `write_layer` fills it."""
    spans = list(map(asdict, spans_of(roles.features)))
    contents = {"addresses": list(roles.features), "spans": spans, "own_images": roles.own_images}
    write_whole(folder / "bank.json", lambda file: file.write(json.dumps(contents).encode()), durable=False)
    return Bank(folder)


def write_layer(folder: Path, number: int, measurement: LayerMeasurement) -> None:
    """Write a layer of a bank. Its facts come last: who finds them, if only a day later, finds the layer whole."""
    facts, rows, driven = measurement
    write_whole(folder / f"{number}.rows.npy", lambda file: np.save(file, rows))
    if driven is not None:
        write_whole(folder / f"{number}.driven.npy", lambda file: np.save(file, driven))
    arrays = facts._asdict()
    write_whole(_facts(folder, number), lambda file: np.savez(file, **arrays))


def layers_left(bank: Bank) -> list[LayerSpan]:
    """The layers that are not written yet."""
    return [span for number, span in enumerate(bank.spans) if not _facts(bank.folder, number).exists()]


def write_bank(
    folder: Path,
    roles: PictureRoles,
    responses: Callable[[LayerSpan], Float32[np.ndarray, "n c"]],
    *,
    seed: int = 0,
    look: Callable[[LayerSpan, Float32[np.ndarray, "n c"], Facts], object] = lambda span, values, facts: None,
) -> Bank:
    """Write what `responses` gives for each layer, one layer (and a few copies of it) in memory at a time.

    responses: mean activations of a layer's features, in their order, on the probe's pictures.
    look: is called with each layer's responses and facts once they are written.
    """
    bank = begin_bank(folder, roles)
    for number, span in enumerate(bank.spans):
        values = responses(span)
        measurement = measure_layer(span, values, roles, seed)
        write_layer(folder, number, measurement)
        look(span, values, measurement.facts)
    return bank


def _facts(folder: Path, number: int) -> Path:
    return folder / f"{number}.facts.npz"
