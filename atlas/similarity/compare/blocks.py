"""How a comparison is cut: blocks of consecutive features of one layer, each compared with the whole bank."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from atlas.similarity.compare.spans import LayerSpan
from atlas.store.similarity_tables import BOTTOM, TOP

BLOCK_FEATURES = 2048  # at most: what makes the product efficient, and bounds the memory


@dataclass(frozen=True)
class Comparison:
    """What is computed for every block."""

    measures: tuple[str, ...]
    scopes: tuple[str, ...]
    top: int
    bottom: int

    @property
    def signs(self) -> tuple[tuple[int, int], ...]:
        """The lists of a feature: which end of the scores they are of, and how long they are."""
        return tuple((sign, k) for sign, k in ((TOP, self.top), (BOTTOM, self.bottom)) if k)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive features of one layer of a bank."""

    number: int  # of the layer
    start: int
    stop: int

    @property
    def file(self) -> str:
        """The name of the block's results, in the bank's folder."""
        return f"block-{self.start}.npz"


def blocks_of(spans: Sequence[LayerSpan], most: int = BLOCK_FEATURES) -> list[Block]:
    """Cut every layer into even blocks; the same however many workers there are, so that sums round the same."""
    return [block for number, span in enumerate(spans) for block in _cut(number, span, most)]


def _cut(number: int, span: LayerSpan, most: int) -> Iterator[Block]:
    pieces = -(-len(span) // most)
    edges = [span.start + len(span) * piece // pieces for piece in range(pieces + 1)]
    for start, stop in pairwise(edges):
        yield Block(number, start, stop)
