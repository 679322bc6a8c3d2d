"""How a model is shown a picture that it is asked about, and where its pixels lie on the picture."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from atlas.store.images import middle_square
from atlas.zoo.receptive_field import Box


@dataclass(frozen=True)
class Showing:
    """At what scale a picture is shown, and whether without the model's normalisation: as its probe's pictures are."""

    scale: float = 1.0  # side of what is shown, relative to the model's input
    raw: bool = False


def square(picture: Image.Image, side: int) -> Float[Tensor, "1 3 side side"]:
    """The largest square in the middle of an RGB picture, with `side` pixels, in [0, 1]: as probes' pictures are read."""
    pixels = np.asarray(middle_square(picture, side), np.float32)
    return torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None]


def box_on_picture(box: Box, side: int, size: tuple[int, int]) -> Box:
    """The pixels of a picture that a box of its square holds, whole or in part.

    side: pixels of the square; size: width and height of the picture.
    """
    scale = min(size) / side
    left, top = ((length - min(size)) / 2 for length in size)
    return Box(
        max(0, floor(left + box.x0 * scale)),
        max(0, floor(top + box.y0 * scale)),
        min(size[0], ceil(left + box.x1 * scale)),
        min(size[1], ceil(top + box.y1 * scale)),
    )
