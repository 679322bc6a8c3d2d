"""Has the operating system read the weights that a worker needs next, while the worker still makes its last shard.

Nothing waits for it and nothing of the next model is run: whoever loads it finds its file in memory.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from atlas.engine.attempt import following
from atlas.records import ModelCard


def read_ahead(cards: Mapping[str, ModelCard]) -> None:
    """Ask for the file of the model that follows on the attempt under way, where both are known."""
    card = cards.get(following() or "")
    if card is None or card.file is None or not hasattr(os, "posix_fadvise"):
        return
    # a hint: whoever loads the model tells what is wrong with its file
    with suppress(OSError):
        descriptor = os.open(card.file, os.O_RDONLY | os.O_NONBLOCK)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(descriptor)
