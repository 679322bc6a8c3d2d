"""What the blocks of a comparison left on disk, put together again by layer or for the whole bank."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atlas.similarity.compare.blocks import Block


class BlockResults:
    """The .npz files of all blocks of a bank, in their order; opened, and read array by array."""

    def __init__(self, blocks: Sequence[Block], files: Sequence[Path]) -> None:
        self.blocks = list(blocks)
        self._files = [np.load(file) for file in files]

    def close(self) -> None:
        for file in self._files:
            file.close()

    def has(self, panel: int, name: str) -> bool:
        return any(name in file for block, file in zip(self.blocks, self._files, strict=True) if block.panel == panel)

    def parts(self, panel: int, name: str) -> list[np.ndarray]:
        """One array of each block of a layer."""
        return [file[name] for block, file in zip(self.blocks, self._files, strict=True) if block.panel == panel]

    def layer(self, panel: int, name: str) -> np.ndarray:
        """The rows of a layer's features, one under the other."""
        return np.concatenate(self.parts(panel, name))

    def whole(self, name: str, features: int) -> np.ndarray | None:
        """The rows of all features of the bank, NaN or -1 where a block has no such array; None when none has."""
        held = [(block, file[name]) for block, file in zip(self.blocks, self._files, strict=True) if name in file]
        if not held:
            return None
        width = max(rows.shape[1] for _, rows in held)
        kind = held[0][1].dtype
        whole = np.full((features, width), -1 if kind.kind == "i" else np.nan, kind)
        for block, rows in held:
            whole[block.start : block.stop, : rows.shape[1]] = rows
        return whole
