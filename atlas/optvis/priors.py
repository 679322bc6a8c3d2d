"""What natural images have and noise has not: smoothness, and sense at more than one size."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "b c h w"]


def blur(images: Images, sigma: float) -> Images:
    """Gaussian blur with a 3 x 3 kernel, edges reflected: torchvision's `gaussian_blur(images, 3, sigma)`, bit for bit."""
    offsets = torch.linspace(-1.0, 1.0, 3, dtype=images.dtype, device=images.device)
    bell = torch.exp(-0.5 * (offsets / sigma) ** 2)
    bell = bell / bell.sum()
    channels = images.shape[1]
    kernel = torch.outer(bell, bell).expand(channels, 1, 3, 3)
    return F.conv2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), kernel, groups=channels)


def resize(images: Images, size: int) -> Float[Tensor, "b c h2 w2"]:
    """Images whose longer side is `size`, bilinear and antialiased: torchvision's `Resize([size, size])` for squares."""
    height, width = images.shape[-2:]
    wanted = extent(height, width, size)
    if (height, width) == wanted:
        return images
    resized = F.interpolate(images, size=wanted, mode="bilinear", antialias=True, align_corners=False)
    return resized.contiguous(memory_format=layout(images))


def extent(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width of a picture whose longer side becomes `size`."""
    part = size / max(height, width)
    return max(1, round(height * part)), max(1, round(width * part))


def layout(images: Images) -> torch.memory_format:
    """How images lie in memory; one that is both counts as contiguous."""
    return torch.contiguous_format if images.is_contiguous() else torch.channels_last


def unit_rms(gradient: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
    """Each image's gradient divided by its own root mean square; a gradient of zero stays zero.

    It is scaled by its largest value first, so that gradients as small as float32 knows do not vanish when squared.
    """
    dims = tuple(range(1, gradient.ndim))
    largest = gradient.abs().amax(dim=dims, keepdim=True)
    scaled = gradient / torch.where(largest > 0, largest, 1.0)
    rms = scaled.square().mean(dim=dims, keepdim=True).sqrt()
    return scaled / torch.where(rms > 0, rms, 1.0)
