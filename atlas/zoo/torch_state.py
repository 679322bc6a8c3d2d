"""torch's own state: what a caller or a user's module has switched on stays outside, and is afterwards as it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

DEVICES = ("cpu", "cuda", "mps", "xpu")  # those that torch.autocast knows and images are made on
CPU = torch.device("cpu")


@contextmanager
def own_torch_state() -> Iterator[None]:
    """Within, torch is as in a fresh process: with gradients, float32, on the CPU, without autocast or inference mode.

    What is changed within, as by `torch.set_default_dtype` in a user's module, ends with it.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    with ExitStack() as stack:
        stack.callback(_restore, dtype, device)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in DEVICES:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        torch.set_default_dtype(torch.float32)
        if device != CPU:
            stack.enter_context(CPU)
        yield


def _restore(dtype: torch.dtype, device: torch.device) -> None:
    torch.set_default_dtype(dtype)
    if torch.get_default_device() != device:
        torch.set_default_device(device)
