"""A statement that nobody waits for any more is interrupted: a cursor at work in, and whether its answer is wanted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

WATCHER = "atlas-query"  # name of the thread that looks
LOOK_EVERY = 0.25  # seconds between two looks


@contextmanager
def interrupted_unless(wanted: Callable[[], bool] | None, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """While the block runs, interrupt the cursor's statement once `wanted()` is False; None: it is always wanted."""
    if wanted is None:
        yield
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY):
            if not wanted():
                cursor.interrupt()

    watcher = threading.Thread(target=look, daemon=True, name=WATCHER)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
