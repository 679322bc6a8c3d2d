"""Finished images leave the device that made them: floats in [0, 1] in; bytes in this machine's memory out."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def leaving(images: Float[Tensor, "b c h w"]) -> list[Callable[[], np.ndarray]]:
    """For each image what gives its bytes, (h, w, 3) or, of gray, (h, w), clipped to [0, 1] as `store.images.to_pil` does.

    On a GPU they are copied beside whatever it does next, and whoever asks waits for the copy.
    """
    pixels = (images.float().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1)
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    host, arrived = _copied(pixels.contiguous()) if pixels.is_cuda else (pixels.contiguous(), _at_once)
    return [partial(_bytes, host, number, arrived) for number in range(len(host))]


def _copied(pixels: UInt8[Tensor, "..."]) -> tuple[UInt8[Tensor, "..."], Callable[[], None]]:
    """A copy in pinned memory that is under way on a stream of its own, and what waits for it."""
    beside, arrival = torch.cuda.Stream(pixels.device), torch.cuda.Event()
    beside.wait_stream(torch.cuda.current_stream(pixels.device))
    host = torch.empty(pixels.shape, dtype=pixels.dtype, pin_memory=True)
    with torch.cuda.stream(beside):
        host.copy_(pixels, non_blocking=True)
        arrival.record(beside)
    # its memory is not given to others before the copy is done
    pixels.record_stream(beside)
    return host, arrival.synchronize


def _at_once() -> None:
    return None


def _bytes(host: UInt8[Tensor, "..."], number: int, arrived: Callable[[], None]) -> np.ndarray:
    arrived()
    return host[number].numpy()
