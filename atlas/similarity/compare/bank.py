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

from atlas.similarity.compare.facts import Facts, PictureRoles, measure_layer
from atlas.similarity.compare.spans import LayerSpan, spans_of
from atlas.store.bucket_path import path_of
from atlas.store.local_folder import LocalFolder


class Bank:
    """A bank on disk, opened for reading."""

    def __init__(self, folder: str | Path, files: LocalFolder | None = None) -> None:
        """files: those of the folder, where they are on this machine already."""
        self.folder = path_of(folder)
        self._local = LocalFolder.copy_of(self.folder) if files is None else files
        self._files = self._local.path
        contents = json.loads((self._files / "bank.json").read_text())
        self.addresses: list[str] = contents["addresses"]
        self.spans = tuple(LayerSpan(**span) for span in contents["spans"])
        self.own_images: bool = contents["own_images"]

    def facts(self, number: int) -> Facts:
        """What is known of each channel of a layer."""
        with np.load(self._files / f"{number}.facts.npz") as arrays:
            return Facts(**arrays)

    def rows(self, number: int, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "c n"]:
        """Standardised responses of a layer's features, or of some of them, over the probe's pictures."""
        return np.array(np.load(self._files / f"{number}.rows.npy", mmap_mode="r")[start:stop])

    def driven(
        self, number: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "f c"]:
        """driven[f, g]: the response of a layer's channel g to the image of feature f of the bank."""
        return np.array(np.load(self._files / f"{number}.driven.npy", mmap_mode="r")[rows, columns])


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
    files = LocalFolder.instead_of(folder)
    spans = spans_of(roles.features)
    for number, span in enumerate(spans):
        values = responses(span)
        facts, rows, driven = measure_layer(span, values, roles, seed)
        np.save(files.path / f"{number}.rows.npy", rows)
        if driven is not None:
            np.save(files.path / f"{number}.driven.npy", driven)
        np.savez(files.path / f"{number}.facts.npz", **facts._asdict())
        look(span, values, facts)
    contents = {"addresses": list(roles.features), "spans": list(map(asdict, spans)), "own_images": roles.own_images}
    (files.path / "bank.json").write_text(json.dumps(contents))
    files.send_to(folder)
    return Bank(folder, files)
