"""How much work fits at once: a budget for activations, and batches that are halved where it was too much."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import psutil
import torch

from atlas.config.schema import RecipeConfig
from atlas.sweep.shards import shown_size

CPU_BUDGET = 512 << 20  # bytes of activations at once on a CPU: more images of a batch than fit its caches cost time
GPU_SHARE = 0.6  # of a GPU's memory for activations; the rest is for weights, workspaces and fragments
PASSES = 3  # activations kept for the way back, their gradients, and what a convolution needs aside
COPIES = 16  # of a float image at once, about: itself, its spectrum, its gradients and those of its transforms
PIXEL = 3 * 4  # bytes of a pixel

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ItemBatch(Generic[T, R]):
    """Items that were worked on together: what came of them, or what the memory said that one alone does not fit."""

    items: Sequence[T]
    size: int  # items that fit at once, as far as is known by now
    result: R | None
    error: str | None


def in_batches(
    items: Sequence[T], size: int, work: Callable[[Sequence[T]], R], device: str
) -> Iterator[ItemBatch[T, R]]:
    """Work items off, `size` at once; half as many from where the memory ran out, for the same items and all later."""
    left = list(items)
    while left:
        batch = left[:size]
        result, error = _try(work, batch, device)
        if error is not None and len(batch) > 1:
            size = len(batch) // 2
            continue
        left = left[len(batch) :]
        yield ItemBatch(batch, size, result, error)


def _try(work: Callable[[Sequence[T]], R], batch: Sequence[T], device: str) -> tuple[R | None, str | None]:
    """What came of a batch; or nothing, and what the memory said that did not suffice."""
    try:
        return work(batch), None
    except (torch.OutOfMemoryError, MemoryError) as error:
        said = f"{type(error).__name__}: {error}"
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):  # torch's word on a CPU
            raise
        said = f"{type(error).__name__}: {error}"
    if device == "cuda":  # here, where no traceback holds the batch any more
        torch.cuda.empty_cache()
    return None, said


def images_at_once(
    activations: int, input_size: int, recipe: RecipeConfig, *, room: float, frames: int = 0, aspect: float = 1.0
) -> int:
    """How many images can be optimised together, at least one; the same on every run.

    activations: bytes that one forward pass leaves behind at `input_size` pixels, as a card's `Layer.bytes`.
    room: bytes, as `budget` says. frames: copies of each image that are kept. aspect: shorter side by longer side.
    """
    shown = max(map(shown_size, recipe.octaves)) ** 2 * aspect
    pixels = max(octave.size or 0 for octave in recipe.octaves) ** 2 * aspect
    passes = PASSES * activations * recipe.transforms.views * shown / input_size**2
    return max(1, int(room / max(1.0, passes + (COPIES + frames) * PIXEL * pixels)))


def budget(device: str, gpus: float) -> float:
    """Bytes for the activations of a batch; from the memory that the machine has, not from what is free just now.

    gpus: the share of a GPU that the actor has.
    """
    if device == "cuda":
        return GPU_SHARE * torch.cuda.get_device_properties(0).total_memory * min(1.0, gpus)
    return min(CPU_BUDGET, psutil.virtual_memory().total / 4 / (psutil.cpu_count() or 1))


def peak(device: str) -> int:
    """Bytes: the most that was held of the GPU, or what the process holds now."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
