"""Where the layers of a bank lie: features stand in the order of their addresses,
so those of a layer are consecutive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from atlas.records import Address


@dataclass(frozen=True)
class LayerSpan:
    """One layer of a bank: its features are those from `start` to `stop`."""

    model: str
    layer: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        return f"{self.model}/{self.layer}"

    @property
    def features(self) -> slice:
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


def spans_of(addresses: Sequence[str]) -> tuple[LayerSpan, ...]:
    """The layers of features, which come in the order of their addresses."""
    assert list(addresses) == sorted(addresses), "addresses come sorted"
    spans, start = [], 0
    for (model, layer), group in groupby(map(Address.parse, addresses), key=lambda address: address[:2]):
        stop = start + sum(1 for _ in group)
        spans.append(LayerSpan(model, layer, start, stop))
        start = stop
    return tuple(spans)
