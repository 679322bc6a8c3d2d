"""Colours for numbers and for layers: ramps of even lightness (OKLCH) on dark ground, and the range
that a ramp spans.
"""

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
# a feature with itself, which says nothing
SELF = (66, 69, 75)
# from little to much: lightness from 0.22 to 0.96, hue from blue over red to yellow
ONE_SIDED = (
    *((20, 24, 49), (37, 33, 80), (60, 40, 111), (86, 48, 137), (131, 48, 140), (177, 47, 125), (211, 63, 96)),
    *((230, 91, 86), (246, 121, 79), (253, 153, 89), (253, 186, 117), (252, 216, 154), (254, 242, 197)),
)
# the lighter two thirds of the same, for what lies on a picture, where dark says nothing
HEAT = ((110, 48, 139), (177, 47, 125), (230, 91, 86), (253, 153, 89), (254, 242, 197))
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
TAIL = 0.005  # of the values at either end, and at least one, have the colour of the last within
OPPOSED = 0.4  # of the positive end: from this size on, the negative end is a side of its own
SHADES = 256
TICKS, TICK_STEPS = 6, (1, 2, 5, 10)  # ticks at most, and their distances, times a power of ten


@dataclass(frozen=True)
class Scale:
    """Which value has which colour: `low` and all below it the first of `shades`, `high` and all above it the last."""

    low: float
    high: float
    shades: NDArray[np.uint8]  # (SHADES, 3)

    def paint(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(...) values to (..., 3) RGB."""
        part = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return self.shades[np.rint(part * (len(self.shades) - 1)).astype(np.intp)]

    def ticks(self) -> list[float]:
        """Round values at even distances within the range."""
        rough = (self.high - self.low) / TICKS
        unit = 10.0 ** floor(log10(rough))
        step = next(step * unit for step in TICK_STEPS if step * unit >= rough * 0.999)
        return [number * step for number in range(ceil(self.low / step), floor(self.high / step) + 1)]


@dataclass(frozen=True)
class ColourRange:
    """The values between which colours change; two-sided: even around zero, with a ramp for either side."""

    low: float
    high: float
    two_sided: bool


def colour_range(values: NDArray[np.floating]) -> ColourRange:
    """The range for (m,) values: robust against a few far ones, and of two sides where the negative ones matter."""
    if not len(values):
        return ColourRange(0.0, 1.0, two_sided=False)
    low = float(np.quantile(values, TAIL, method="higher"))
    high = float(np.quantile(values, 1 - TAIL, method="lower"))
    if high <= low:
        middle = (low + high) / 2
        low, high = middle - max(0.5, abs(middle) / 10), middle + max(0.5, abs(middle) / 10)
    elif high > 0 and -low > OPPOSED * high:
        end = max(-low, high)
        return ColourRange(-end, end, two_sided=True)
    return ColourRange(low, high, two_sided=False)


def scale_of(values: NDArray[np.floating]) -> Scale:
    """A scale for (m,) values, on dark ground."""
    span = colour_range(values)
    return Scale(span.low, span.high, shades(SIGNED if span.two_sided else ONE_SIDED))


def shades(ramp: tuple[Colour, ...], count: int = SHADES) -> NDArray[np.uint8]:
    """(count, 3) colours at even steps along a ramp."""
    points, stops = np.linspace(0, len(ramp) - 1, count), np.arange(len(ramp))
    return np.rint(np.stack([np.interp(points, stops, part) for part in np.array(ramp).T], axis=1)).astype(np.uint8)


def layer_colours(count: int) -> list[Colour]:
    """A colour for each of `count` layers, in order of depth."""
    return [(int(r), int(g), int(b)) for r, g, b in shades(DEPTH, count)]
