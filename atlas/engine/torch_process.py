"""What a worker does to the torch of its process. Only workers import it, and only to work: the driver does without torch."""

import gc
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from atlas.engine.allocator import keep_freed_memory
from atlas.records import Receipt
from atlas.torch_state import kept_torch_state


def begin(threads: int) -> None:
    """Make the process ready for a model."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def keeping_torch(make: Callable[[Any], Receipt]) -> Callable[[Any], Receipt]:
    """A work function that leaves torch's own state as it was, whatever the model's code switches."""
    return kept_torch_state()(make)


def free() -> None:
    """Free the memory of what nobody holds any more: no two models ever lie on a card together."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def machine_name() -> str:
    """The kind of device that this process works on, card or processor: the same work on the same kind has the same bytes."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    lines = list[str]()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{model} {torch.backends.cpu.get_cpu_capability()}"
