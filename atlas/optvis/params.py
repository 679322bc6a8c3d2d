"""What an image begins as: a random stream of its own for each image, the same on every device."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def noise(seeds: Sequence[int], size: int, low: float, high: float) -> Float[Tensor, "b 3 s s"]:
    """Uniform noise in [low, high), image by image from its own seed, so an image's start does not know its batch."""
    streams = [torch.Generator().manual_seed(seed) for seed in seeds]
    drawn = torch.stack([torch.rand((3, size, size), generator=stream) for stream in streams])
    return drawn * (high - low) + low
