"""The files that the blocks of a comparison left, put together again by layer or for the whole bank."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atlas.similarity.compare.blocks import Block
from atlas.store.files import readable


class BlockResults:
    """The .npz files of all blocks of a bank, in their order; opened, and read array by array, until `close`."""

    def __init__(self, blocks: Sequence[Block], files: Sequence[Path]) -> None:
        self.blocks = list(blocks)
        self._files = [np.load(readable(file)) for file in files]

    def close(self) -> None:
        for file in self._files:
            file.close()

    def has(self, number: int, name: str) -> bool:
        """Whether any block of a layer has an array of this name."""
        return any(name in file for block, file in self._pairs() if block.number == number)

    def parts(self, number: int, name: str) -> list[np.ndarray]:
        """One array of each block of a layer."""
        return [file[name] for block, file in self._pairs() if block.number == number]

    def layer(self, number: int, name: str) -> np.ndarray:
        """The rows of a layer's features, one under the other."""
        return np.concatenate(self.parts(number, name))

    def whole(self, name: str) -> np.ndarray | None:
        """The rows of all features of the bank, NaN or -1 where a block has no such array; None when none has."""
        arrays = [(block, file[name]) for block, file in self._pairs() if name in file]
        if not arrays:
            return None
        features, width = max(block.stop for block in self.blocks), max(rows.shape[1] for _, rows in arrays)
        kind = arrays[0][1].dtype
        whole = np.full((features, width), -1 if kind.kind == "i" else np.nan, kind)
        for block, rows in arrays:
            whole[block.start : block.stop, : rows.shape[1]] = rows
        return whole

    def _pairs(self) -> list[tuple[Block, np.lib.npyio.NpzFile]]:
        return list(zip(self.blocks, self._files, strict=True))
