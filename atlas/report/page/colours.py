"""Colours for numbers and for layers: ramps of even lightness (OKLCH) on dark ground, and the range that a ramp spans."""

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
SELF = (66, 69, 75)  # a feature with itself, which says nothing
# from little to much: lightness from 0.22 to 0.96, hue from blue over red to yellow
ONE_SIDED = (
    *((20, 24, 49), (37, 33, 80), (60, 40, 111), (86, 48, 137), (131, 48, 140), (177, 47, 125), (211, 63, 96)),
    *((230, 91, 86), (246, 121, 79), (253, 153, 89), (253, 186, 117), (252, 216, 154), (254, 242, 197)),
)
# from much below zero over zero, the ground's grey, to much above: lightness 0.95, 0.24, 0.95
SIGNED = (
    *((200, 249, 255), (140, 213, 235), (86, 173, 220), (63, 131, 195), (54, 91, 156), (47, 59, 92), (31, 31, 33)),
    *((91, 44, 47), (154, 55, 49), (199, 89, 45), (227, 138, 57), (237, 191, 122), (251, 239, 194)),
)
# layers from first to last: lightness 0.76, hue all around
DEPTH = (
    *((111, 182, 255), (24, 198, 226), (52, 204, 174), (132, 197, 116), (193, 180, 70)),
    *((233, 159, 79), (249, 143, 129), (239, 141, 186), (208, 151, 234)),
)
TAIL = 0.005  # of the values at either end, and at least one: shown like the last within
OPPOSED = 0.4  # as large, against the positive end, a negative end is a side of its own
SHADES = 256
STEPS = (1, 2, 5, 10)  # between ticks, times a power of ten


@dataclass(frozen=True)
class Scale:
    """Which value has which colour: `low` and what is below the first of `shades`, `high` and what is above the last."""

    low: float
    high: float
    shades: NDArray[np.uint8]  # (SHADES, 3)

    def paint(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(...) values to (..., 3) RGB."""
        part = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return self.shades[np.rint(part * (len(self.shades) - 1)).astype(np.intp)]

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the range."""
        rough = (self.high - self.low) / most
        unit = 10.0 ** floor(log10(rough))
        step = next(step * unit for step in STEPS if step * unit >= rough * 0.999)
        return [place * step for place in range(ceil(self.low / step), floor(self.high / step) + 1)]


def scale_of(values: NDArray[np.floating]) -> Scale:
    """A scale for (m,) values: robust against a few far ones; of two sides, even around zero, where negative ones matter."""
    if not len(values):
        return Scale(0.0, 1.0, shades(ONE_SIDED))
    low = float(np.quantile(values, TAIL, method="higher"))
    high = float(np.quantile(values, 1 - TAIL, method="lower"))
    if high <= low:
        middle = (low + high) / 2
        low, high = middle - max(0.5, abs(middle) / 10), middle + max(0.5, abs(middle) / 10)
    elif high > 0 and -low > OPPOSED * high:
        most = max(-low, high)
        return Scale(-most, most, shades(SIGNED))
    return Scale(low, high, shades(ONE_SIDED))


def shades(ramp: tuple[Colour, ...], count: int = SHADES) -> NDArray[np.uint8]:
    """(count, 3) colours at even steps along a ramp."""
    places, stops = np.linspace(0, len(ramp) - 1, count), np.arange(len(ramp))
    return np.rint(np.stack([np.interp(places, stops, side) for side in np.array(ramp).T], axis=1)).astype(np.uint8)


def layer_colours(count: int) -> list[Colour]:
    """One for each layer, in order of depth."""
    return [(int(r), int(g), int(b)) for r, g, b in shades(DEPTH, count)]
