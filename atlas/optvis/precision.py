"""In which arithmetic a network is run: float32 to the letter, tf32, or bfloat16 under autocast."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from atlas.torch_state import kept_torch_state

# images (b, c, h, w) -> layer: maps (b, c, h', w')
Forward = Callable[[Tensor], Mapping[str, Tensor]]


def with_precision(name: str, forward: Forward) -> Forward:
    """The network as a precision has it: under bfloat16 its own arithmetic only, the image and its loss stay as they are."""
    if name != "bfloat16":
        return forward

    def seen(images: Tensor) -> dict[str, Tensor]:
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            maps = forward(images)
        return {layer: values.float() for layer, values in maps.items()}

    return seen


@contextmanager
def precision(name: str) -> Iterator[None]:
    """float32 to the letter, or tf32 (tensor cores' float32) in matrix products and convolutions."""
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    with kept_torch_state():
        torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
        convolutions.fp32_precision = "tf32" if name == "tf32" else "ieee"
        yield
