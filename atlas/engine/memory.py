"""How many items fit the memory at once: a budget, and batches that are halved where they do not fit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import psutil
import torch

from atlas.config.schema import RecipeConfig
from atlas.engine.attempt import at_most, note_items
from atlas.sweep.shards import shown_size
from atlas.zoo.shortage import is_shortage

CPU_BUDGET = 512 << 20  # bytes of activations at once on a CPU: more images of a batch than fit its caches cost time
GPU_SHARE = 0.6  # of a GPU's memory for activations; the rest is for weights, workspaces and fragments
PASSES = 3  # activations kept for the way back, their gradients, and what a convolution needs aside
COPIES = 16  # of a float image at once, about: itself, its spectrum, its gradients and those of its transforms
PIXEL = 3 * 4  # bytes of a pixel

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ItemBatch(Generic[T, R]):
    """Items that were worked on together, and their result; or one item that does not fit the memory, and the error."""

    items: Sequence[T]
    size: int  # items that fit at once, as far as the batches so far have shown
    result: R | None
    error: str | None  # of the allocation that failed


def in_batches(
    items: Sequence[T], size: int, work: Callable[[Sequence[T]], R], device: str
) -> Iterator[ItemBatch[T, R]]:
    """Work on all items in order, `size` at once. Where the memory runs out, the rest is done half as many at once."""
    left, size = list(items), at_most(size)
    while left:
        batch = left[:size]
        note_items(batch)
        result, error = _try(work, batch, device)
        if error is not None and len(batch) > 1:
            size = len(batch) // 2
            continue
        left = left[len(batch) :]
        yield ItemBatch(batch, size, result, error)


def _try(work: Callable[[Sequence[T]], R], batch: Sequence[T], device: str) -> tuple[R | None, str | None]:
    """The result of a batch; or None, and the error of the allocation that failed."""
    try:
        return work(batch), None
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        shortage = f"{type(error).__name__}: {error}"
    if device == "cuda":  # here, where no traceback holds the batch any more
        torch.cuda.empty_cache()
    return None, shortage


def images_at_once(activations: int, input_size: int, recipe: RecipeConfig, *, room: float, aspect: float = 1.0) -> int:
    """How many images can be optimised together, at least one; the same on every run.

    activations: bytes that one forward pass leaves behind at `input_size` pixels, as a card's `Layer.bytes`.
    room: bytes, as `budget` gives them. aspect: shorter side / longer side.
    """
    shown = max(map(shown_size, recipe.octaves)) ** 2 * aspect
    pixels = max(octave.size or 0 for octave in recipe.octaves) ** 2 * aspect
    passes = PASSES * activations * recipe.transforms.views * shown / input_size**2
    return max(1, int(room / max(1.0, passes + COPIES * PIXEL * pixels)))


def budget(device: str, gpus: float) -> float:
    """Bytes for the activations of a batch: a share of the memory that the machine has, not of what is free just now.

    gpus: the share of a GPU that the actor has.
    """
    if device == "cuda":
        return GPU_SHARE * torch.cuda.get_device_properties(0).total_memory * min(1.0, gpus)
    return min(CPU_BUDGET, psutil.virtual_memory().total / 4 / (psutil.cpu_count() or 1))


def peak(device: str) -> int:
    """Bytes: the most of the GPU's memory that was ever in use, or on a CPU what the process uses now."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
