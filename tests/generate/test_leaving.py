"""Images leave their device as the bytes that the one rule for values and bytes gives."""

import numpy as np
import pytest
import torch

from atlas.generate.leaving import leaving
from atlas.store.images import to_pil


@pytest.mark.parametrize("colours", [3, 1])
def test_the_bytes_are_those_of_to_pil(colours: int) -> None:
    values = torch.linspace(-0.2, 1.2, 2 * colours * 40 * 50).reshape(2, colours, 40, 50)
    values[0, 0, 0, :6] = torch.tensor([0.5, 1.5, 2.5, 126.5, 127.5, 253.5]) / 255
    images = values.contiguous(memory_format=torch.channels_last)
    for pixels, image in zip(leaving(images), values.numpy(), strict=True):
        assert np.array_equal(pixels(), np.asarray(to_pil(image)))
