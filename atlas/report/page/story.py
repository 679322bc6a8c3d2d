"""What a trajectory tells: mean activations over steps, the driven channel and its rival; and how its page is divided."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy import float64
from numpy.typing import NDArray

Means = NDArray[float64]  # (n, channels); NaN where there is none

LINE = "#8a8a8a"
WIDTHS = (2.35, 2.5)  # inches: the plots from left to right
LIFT = 9  # points: how far above a plot its heading stands


@dataclass(frozen=True)
class Story:
    """What is told: the numbers, whom they are about, and the range of activation that all its pictures share."""

    steps: NDArray[float64]  # (n,)
    means: Means
    heroes: Sequence[tuple[int, str]]  # the driven channel and, if there is one, its rival, with their colours
    limits: tuple[float, float]

    @property
    def others(self) -> list[int]:
        return [k for k in range(self.means.shape[1]) if k not in dict(self.heroes)]
