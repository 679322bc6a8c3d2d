"""A picture as its model is evaluated with it: the source's own resizing and cropping, without its normalisation."""

from typing import Any

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from atlas.zoo.sources import Preprocessing
from atlas.zoo.torchvision_ops import torchvision

LONGEST = 100  # times its width: a longer picture loses its ends first, or resizing it would fill the memory

functional: Any = torchvision.transforms.functional  # typed as if it took tensors only


def evaluated(picture: Image.Image, known: Preprocessing) -> Float[Tensor, "3 s s"]:
    """An RGB picture as an image in [0, 1]: bit by bit what torchvision's presets, and timm's, make before they normalise.

    On the PIL image, as they do: on tensors bicubic and bilinear resizing give other values.
    """
    shape = [known.resize] * 2 if known.squash else [known.resize]  # of one number: the shorter side
    filtered = functional.InterpolationMode(known.interpolation)
    resized = functional.resize(picture if known.squash else _not_too_long(picture), shape, filtered)
    return functional.to_tensor(functional.center_crop(resized, [known.input_size]))


def _not_too_long(picture: Image.Image) -> Image.Image:
    """The middle of a picture that is extremely long; it holds all that the crop will keep."""
    width, height = picture.size
    most = LONGEST * min(width, height)
    x, y = max(0, width - most) // 2, max(0, height - most) // 2
    return picture.crop((x, y, width - x, height - y)) if x or y else picture
