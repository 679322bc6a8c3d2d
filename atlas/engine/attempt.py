"""One try at a shard: how many of its items are worked on at once, and a note of them, which outlives the worker.

Whoever works in batches (`memory.in_batches`) obeys the one and writes the other, without knowing of it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.records import Shard


@dataclass(frozen=True)
class Attempt:
    """A shard as it is sent to a worker."""

    shard: Shard
    most: int | None = None  # items at once; None: as many as fit
    note: Path | None = None  # the file that names the items under way
    copy: bool = False  # another worker has the shard, too: files go to staging/, whatever their kind
    following: str | None = None  # the model that the worker will probably load next


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def under_way(attempt: Attempt) -> Iterator[None]:
    """Work on an attempt: what it asks for holds inside."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


def at_most(size: int) -> int:
    """So many items at once, or as few as the attempt under way allows."""
    attempt = _current.get()
    return size if attempt is None or attempt.most is None else min(size, attempt.most)


def is_copy() -> bool:
    """Whether another worker makes the same at the same time, whose files must not be touched."""
    attempt = _current.get()
    return attempt is not None and attempt.copy


def following() -> str | None:
    """The model that this worker will probably load next; None: nobody has said so."""
    attempt = _current.get()
    return None if attempt is None else attempt.following


def note_items(batch: Sequence[Any]) -> None:
    """Note which items of the shard are worked on from here on, for whoever finds this process dead."""
    attempt = _current.get()
    if attempt is None or attempt.note is None:
        return
    wanted = {id(item) for item in batch}
    places = [number for number, item in enumerate(attempt.shard.items) if id(item) in wanted]
    # a note is a hint: work goes on without
    with suppress(OSError):
        attempt.note.write_text(json.dumps(places))


def read_note(path: Path | None) -> tuple[int, ...]:
    """The places in their shard of the items that were under way; none where no note says so."""
    try:
        places = json.loads(path.read_text()) if path is not None else []
    # there is none yet; or it was cut off in the middle
    except (OSError, ValueError):
        return ()
    return tuple(places)
