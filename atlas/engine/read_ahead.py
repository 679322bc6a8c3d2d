"""Reads the weights that a worker needs next, while the worker still makes its last shard.

Nothing waits for it and nothing of the next model is run: whoever loads it finds its file in the system's memory.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread

from atlas.engine.attempt import following
from atlas.records import ModelCard

CHUNK = 1 << 20  # bytes at once


def read_ahead(cards: Mapping[str, ModelCard]) -> Thread | None:
    """Begin to read the file of the model that follows on the attempt under way; None where either is not known."""
    card = cards.get(following() or "")
    if card is None or card.file is None:
        return None
    # advice to the system (posix_fadvise) would do with no thread, but Linux heeds it for the first few MB alone
    thread = Thread(target=read_through, args=(Path(card.file),), daemon=True)
    try:
        thread.start()
    # the system has no more threads to give
    except RuntimeError:
        return None
    return thread


def read_through(path: Path) -> None:
    """Read a file and keep nothing. What is wrong with it whoever loads it will tell."""
    buffer = bytearray(CHUNK)
    # a pipe would be waited for
    with suppress(OSError):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass
