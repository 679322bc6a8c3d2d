"""events.jsonl: lines in, a file of them out. An object cannot be appended to: there all of it is written again, now and then."""

from pathlib import Path
from threading import Lock
from time import monotonic

from atlas.store.bucket_path import is_remote

EVERY = 10.0  # seconds between two writings of an object: what a killed run may lose of its log


class EventLog:
    """The log of a run, which goes on where an earlier run's ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[str] | None = None  # all of an object's, once one was added
        self._next = 0.0
        self._lock = Lock()  # shards are committed beside one another

    def append(self, line: str, *, at_once: bool = False) -> None:
        """Add a line; at_once: an object is written now. OSError: the storage."""
        if not is_remote(self.path):
            with open(self.path, "a") as file:
                file.write(line + "\n")
            return
        with self._lock:
            if self._lines is None:
                self._lines = self.path.read_text().splitlines() if self.path.is_file() else []
            self._lines.append(line)
            if at_once or monotonic() > self._next:
                self._next = monotonic() + EVERY
                self.path.write_text("".join(f"{line}\n" for line in self._lines))
