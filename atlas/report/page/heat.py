"""How much each pixel of a picture matters, for the eye: a picture and a map in; the map and the picture in colours out."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from atlas.report.colours import ONE_SIDED, shades

BRIGHTEST = 0.995  # of the values: those above show as much, so that a few pixels do not leave the others dark
SPREAD = 0.012  # deviation of the blur, in parts of the longer side: single pixels join into what they lie on
GROUND = 0.6  # how bright the picture remains where nothing matters
COVER = 0.9  # how much the colour hides of it where most matters
SHADE = 0.4  # how much the picture's light and shade still show in that colour


def heat(gray: UInt8[np.ndarray, "h w"]) -> Image.Image:
    """The map in colours, from dark over red to light yellow."""
    return Image.fromarray(_painted(_stretched(gray.astype(float))))


def over(picture: UInt8[np.ndarray, "h w 3"], gray: UInt8[np.ndarray, "h w"]) -> Image.Image:
    """The picture in gray, and where it matters in the map's colours, with its light and shade."""
    strength = _stretched(gaussian_filter(gray.astype(float), SPREAD * max(gray.shape)))
    light = np.asarray(Image.fromarray(picture).convert("L"), float)[:, :, None] / 255
    coloured = _painted(strength) * (1 - SHADE + SHADE * light)
    cover = (strength * COVER)[:, :, None]
    mixed = light * 255 * GROUND * (1 - cover) + coloured * cover
    return Image.fromarray(np.rint(mixed).clip(0, 255).astype(np.uint8))


def _stretched(values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """From 0 for nothing to 1 for the brightest; all 0 where nothing matters."""
    low, high = values.min(), np.quantile(values, BRIGHTEST)
    high = high if high > low else values.max()
    return np.zeros_like(values) if high <= low else ((values - low) / (high - low)).clip(0, 1)


def _painted(strength: Float[np.ndarray, "h w"]) -> NDArray[np.uint8]:
    ramp = shades(ONE_SIDED)
    return ramp[np.rint(strength * (len(ramp) - 1)).astype(np.intp)]
