"""Addresses of other features as numbers: a table of layers, and of each address its layer's number and its channel."""

import numpy as np
import pyarrow as pa

from atlas.records import Address


class Partners:
    """`layers` grows as addresses are read; each distinct one is read once."""

    def __init__(self) -> None:
        self._number: dict[tuple[str, str], int] = {}

    @property
    def layers(self) -> list[tuple[str, str]]:
        """(model, layer), by number."""
        return list(self._number)

    def places(self, addresses: pa.ChunkedArray) -> tuple[list[int], list[int]]:
        """Numbers of layers, and channels; -1 and -1 for NULL."""
        encoded = addresses.combine_chunks().dictionary_encode()
        known = np.array([*map(self._place, encoded.dictionary.to_pylist()), (-1, -1)], np.int64)
        found = known[encoded.indices.fill_null(len(known) - 1).to_numpy()]
        return found[:, 0].tolist(), found[:, 1].tolist()

    def _place(self, address: str) -> tuple[int, int]:
        feature = Address.parse(address)
        return self._number.setdefault(feature[:2], len(self._number)), feature.channel
