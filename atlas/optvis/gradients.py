"""The gradient of what a network says of images, and the error where it has none: that is no dead feature."""

import torch
from jaxtyping import Float
from torch import Tensor


class NoGradient(RuntimeError):
    """What is driven does not depend on the image by any path that a gradient can take."""

    def __init__(self) -> None:
        cut = "the network computes this under torch.no_grad or inference_mode, detaches it, or makes it of something else"
        super().__init__(f"no gradient leads back to the image: {cut}")


def gradient_of(values: Float[Tensor, " b"], images: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
    """∂ Σ values / ∂ images; zeros where a path is there and blocked, as by ReLUs. NoGradient: there is no path."""
    gradient = None
    if values.requires_grad:
        (gradient,) = torch.autograd.grad(values.sum(), images, allow_unused=True)
    if gradient is None:
        raise NoGradient
    return gradient
