"""Turns a picture into an image as the model's source does to evaluate it, but for the normalisation."""

from typing import Any

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from atlas.zoo.architecture import Preprocessing
from atlas.zoo.torchvision_ops import torchvision

LONGEST = 100  # times the shorter side: a longer picture loses its ends first, or resizing it would fill the memory

functional: Any = torchvision().transforms.functional  # typed as if it took tensors only


def eval_transform(picture: Image.Image, preprocessing: Preprocessing) -> Float[Tensor, "3 s s"]:
    """Turn an RGB picture into an image in [0, 1], to the bit what torchvision's and timm's transforms make of it.

    It works on the PIL image, as they do: on tensors bicubic and bilinear resizing give other values.
    """
    side, squash = preprocessing.resize, preprocessing.squash
    shape = [side, side] if squash else [side]  # of one number: the shorter side
    interpolation = functional.InterpolationMode(preprocessing.interpolation)
    resized = functional.resize(picture if squash else _not_too_long(picture), shape, interpolation)
    return functional.to_tensor(functional.center_crop(resized, [preprocessing.input_size]))


def _not_too_long(picture: Image.Image) -> Image.Image:
    """The middle of a picture that is extremely long; it holds all that the crop will keep."""
    width, height = picture.size
    longest = LONGEST * min(width, height)
    x, y = max(0, width - longest) // 2, max(0, height - longest) // 2
    return picture.crop((x, y, width - x, height - y)) if x or y else picture
