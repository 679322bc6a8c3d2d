"""How a comparison is cut: blocks of consecutive features of one layer, each compared with the whole bank."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from atlas.similarity.compare.bank import LayerSpan
from atlas.store.similarity_tables import BOTTOM, TOP

SOURCES = 2048  # features of one block, at most: what makes the product efficient, and bounds the memory


@dataclass(frozen=True)
class Comparison:
    """What is asked of every block."""

    measures: tuple[str, ...]
    scopes: tuple[str, ...]
    top: int
    bottom: int

    @property
    def signs(self) -> tuple[tuple[int, int], ...]:
        return tuple((sign, k) for sign, k in ((TOP, self.top), (BOTTOM, self.bottom)) if k)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive features of one layer of the bank."""

    panel: int
    start: int
    stop: int

    @property
    def file(self) -> str:
        """Where what was found of it lies, in the bank's folder."""
        return f"block-{self.start}.npz"


def blocks_of(panels: Sequence[LayerSpan], most: int = SOURCES) -> list[Block]:
    """Cut every layer into even blocks; the same however many workers there are, so that sums round the same."""
    return [block for number, panel in enumerate(panels) for block in _cut(number, panel, most)]


def _cut(number: int, panel: LayerSpan, most: int) -> Iterator[Block]:
    pieces = -(-len(panel) // most)
    edges = [panel.start + len(panel) * piece // pieces for piece in range(pieces + 1)]
    for start, stop in pairwise(edges):
        yield Block(number, start, stop)
