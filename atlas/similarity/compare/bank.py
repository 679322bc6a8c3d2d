"""The bank: what the comparison of features reads, layer by layer,
as plain arrays on disk that every worker sees.

Features stand in the order of their addresses, so ties are settled by position.
A layer is named by its number there.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from atlas.similarity.compare.facts import Facts, LayerMeasurement, PictureRoles, measure_layer
from atlas.similarity.compare.spans import LayerSpan, spans_of


class Bank:
    """A bank on disk, opened for reading."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        contents = json.loads((self.folder / "bank.json").read_text())
        self.addresses: list[str] = contents["addresses"]
        self.spans = tuple(LayerSpan(**span) for span in contents["spans"])
        self.own_images: bool = contents["own_images"]

    def facts(self, number: int) -> Facts:
        """What is known of each channel of a layer."""
        with np.load(_facts(self.folder, number)) as arrays:
            return Facts(**arrays)

    def rows(self, number: int, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "c n"]:
        """Standardised responses of a layer's features, or of some of them, over the probe's pictures.

        They stay in the file, which is mapped: all workers of a machine share its pages, and nothing is copied.
        """
        return np.load(self.folder / f"{number}.rows.npy", mmap_mode="c")[start:stop]

    def driven(
        self, number: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> Float32[np.ndarray, "f c"]:
        """driven[f, g]: the response of a layer's channel g to the image of feature f of the bank."""
        return np.array(np.load(self.folder / f"{number}.driven.npy", mmap_mode="r")[rows, columns])


def begin_bank(folder: Path, roles: PictureRoles) -> Bank:
    """Make a bank that knows what it is of; `write_layer` fills it."""
    folder.mkdir(parents=True, exist_ok=True)
    spans = list(map(asdict, spans_of(roles.features)))
    contents = {"addresses": list(roles.features), "spans": spans, "own_images": roles.own_images}
    with whole_file(folder / "bank.json") as part:
        part.write_text(json.dumps(contents))
    return Bank(folder)


def write_layer(folder: Path, number: int, measurement: LayerMeasurement) -> None:
    """Write a layer of a bank. Its facts come last: who finds them finds the layer whole."""
    arrays = {"rows": measurement.rows, "driven": measurement.driven}
    for name, array in arrays.items():
        if array is not None:
            with whole_file(folder / f"{number}.{name}.npy") as part, open(part, "wb") as file:
                np.save(file, array)
    with whole_file(_facts(folder, number)) as part, open(part, "wb") as file:
        np.savez(file, allow_pickle=False, **measurement.facts._asdict())


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


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which then becomes `path`; nobody sees half a file.

    Nothing is flushed: a machine that dies takes the comparison with it.
    """
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    yield part
    part.replace(path)


def _facts(folder: Path, number: int) -> Path:
    return folder / f"{number}.facts.npz"
