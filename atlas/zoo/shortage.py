"""Whether an error is an allocation that failed, whatever torch raises for it."""

import torch


def is_shortage(error: BaseException) -> bool:
    """Whether there was not enough memory."""
    # the last is torch's word on a CPU
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
