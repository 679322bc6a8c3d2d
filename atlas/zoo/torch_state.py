"""torch's own state: what a caller or a user's module has switched on stays outside, and is afterwards as it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

DEVICES = ("cpu", "cuda", "mps", "xpu")  # those that torch.autocast knows and images are made on
CPU = torch.device("cpu")


@contextmanager
def own_torch_state() -> Iterator[None]:
    """Within, torch is as in a fresh process: with gradients, float32, on the CPU, without autocast or inference mode."""
    with ExitStack() as stack:
        stack.enter_context(kept_torch_state())
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in DEVICES:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        torch.set_default_dtype(torch.float32)
        if torch.get_default_device() != CPU:
            stack.enter_context(CPU)
        yield


@contextmanager
def kept_torch_state() -> Iterator[None]:
    """What is switched within, as by `torch.set_default_dtype` in a user's module, is switched back afterwards."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    gradients = torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_grad_enabled(gradients)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
