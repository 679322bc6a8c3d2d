"""The memory of a process that works in steps: what one step gives back stays with the process for the next."""

import ctypes
import os
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # parameters of mallopt(3)
NEVER = -1  # of the trim threshold
PAD = 64 << 20  # bytes that the heap grows by at once


def keep_freed_memory() -> bool:
    """Let glibc's allocator give no large block back to the system; whether it is this one, and nobody has set it up.

    Else each activation map comes as fresh pages, which the system clears one by one: a tenth to a fifth of a step on a
    CPU. The process stays as large as its largest batch.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has another allocator
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, NEVER), mallopt(TOP_PAD, PAD)])
