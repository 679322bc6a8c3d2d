"""The features of one layer as rows of a table begin with them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from atlas.records import Address


@dataclass(frozen=True)
class LayerFeatures:
    """The features of a layer whose responses to a probe are looked at."""

    probe: str
    weights: str  # of the model
    addresses: tuple[str, ...]
    alive: Bool[np.ndarray, "c"]

    def live_rows(self) -> Iterator[tuple[int, dict[str, object]]]:
        """The place of each live feature in the layer, and what its row begins with."""
        for place in np.flatnonzero(self.alive):
            address = self.addresses[place]
            begin = {"probe": self.probe, "feature": address, **Address.parse(address)._asdict()}
            yield int(place), {**begin, "weights": self.weights}
