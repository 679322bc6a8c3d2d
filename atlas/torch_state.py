"""torch's own state: what a caller or a user's module has switched on stays outside, and is afterwards as it was."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import backends

DEVICES = ("cpu", "cuda", "mps", "xpu")  # those that torch.autocast knows and images are made on
CPU = torch.device("cpu")
_CUDNN: Any = backends.cudnn
_MKLDNN: Any = backends.mkldnn
# each has a precision of its own, in which float32 is worked on
PRODUCTS = (backends.cuda.matmul, _CUDNN.conv, _CUDNN.rnn, _MKLDNN.matmul, _MKLDNN.conv, _MKLDNN.rnn)

Switch = tuple[Callable[[], Any], Callable[[Any], Any]]  # how it is read, and set


def _attribute(part: object, name: str) -> Switch:
    return partial(getattr, part, name), partial(setattr, part, name)


def _switch_default_device(device: torch.device) -> None:
    # to set the one that torch begins with leaves a function between every call and torch
    torch.set_default_device(None if device == CPU else device)


# What a model's code may switch and that reaches a pixel, or the time that it takes. What sets others, too, comes before them.
SWITCHES: list[Switch] = [
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, _switch_default_device),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    *((partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind)) for kind in DEVICES),
    *(_attribute(_CUDNN, name) for name in ("enabled", "benchmark", "deterministic")),
    *(_attribute(_MKLDNN, name) for name in ("enabled", "deterministic")),
    _attribute(backends, "fp32_precision"),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    *(_attribute(part, "fp32_precision") for part in PRODUCTS),
]


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
    """What is switched within, as by `torch.set_default_dtype` in a user's module, is switched back afterwards.

    So is the CPU's stream of random numbers, of which a model may draw.
    """
    before, stream = [_read(read) for read, _ in SWITCHES], torch.get_rng_state()
    try:
        yield
    finally:
        for (read, switch), value in zip(SWITCHES, before, strict=True):
            # what is as it was must not be touched: to set one may set others
            if value is not None and _read(read) != value:
                switch(value)
        torch.set_rng_state(stream)


def _read(read: Callable[[], Any]) -> Any:
    """A switch's value; None where torch refuses to tell: of the older precision, where the newer ones alone were set."""
    try:
        return read()
    except RuntimeError:
        return None
