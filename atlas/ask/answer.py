"""What is asked of a feature, and what the answer is. No torch: whoever asks for them has none."""

from dataclasses import dataclass
from typing import NamedTuple

from atlas.records import Address


@dataclass(frozen=True, slots=True)
class Standard:
    """A feature, and what it does on the pictures of a probe."""

    feature: Address
    weights: str  # of its model then: where from, and the digest
    mu: float
    sigma: float


class Answer(NamedTuple):
    """What a picture does to a feature."""

    feature: str
    z: float  # (response - mu) / sigma
    response: float  # mean activation over the map
    rank: int  # by z, of all features that were asked
    x0: int  # the receptive field of the map's highest position, in pixels of the picture: x0 ≤ x < x1, y0 ≤ y < y1
    y0: int
    x1: int
    y1: int
