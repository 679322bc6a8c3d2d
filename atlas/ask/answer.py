"""What is asked of a feature, and what the answer is. No torch: whoever asks for them has none."""

from dataclasses import dataclass
from typing import NamedTuple

from atlas.records import Address

SAME = 1e-4  # deviations: a picture looked at alone and one of a batch differ by less


@dataclass(frozen=True, slots=True)
class Standard:
    """A feature, and what it does on the pictures of a probe."""

    feature: Address
    weights: str  # of its model then: where from, and the digest
    mu: float
    sigma: float
    highest: tuple[float, ...]  # responses, highest first

    def z(self, response: float) -> float:
        """By how many deviations a response exceeds the mean."""
        return (response - self.mu) / self.sigma

    def order(self, response: float, *, by_place: bool) -> tuple[int, float, str]:
        """What answers are sorted by: place among the highest responses, where it counts; z, highest first; address."""
        higher = sum(other > response + SAME * self.sigma for other in self.highest) if by_place else 0
        return higher, -self.z(response), str(self.feature)


class Answer(NamedTuple):
    """What a picture does to a feature."""

    feature: str
    z: float  # (response - mu) / sigma
    response: float  # mean activation over the map
    rank: int  # from 1, of all features that were asked
    x0: int  # the receptive field of the map's highest position, in pixels of the picture: x0 ≤ x < x1, y0 ≤ y < y1
    y0: int
    x1: int
    y1: int
