"""Writes images beside the work that makes them: pixels in; PNG files and their hashes out, all of them on the disk at once."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from atlas.store.files import sync_file, sync_folder
from atlas.store.images import write_pixels

ROOM = 256 << 20  # bytes of pixels that may wait: more than a batch of 64 images of 1024 x 1024
LEAVING = 5.0  # seconds that all threads may take to end: each has one file under way, and the disk may be stuck

Write = Callable[[Path, Image.Image], str]
_write: Write = partial(write_pixels, durable=False)


class ImageWriter:
    """A few threads that encode, hash and write. They are daemons: a disk that is stuck never holds a process up."""

    def __init__(self, threads: int = 1, *, room: int = ROOM, write: Write = _write) -> None:
        """room: bytes that may wait. write: makes a whole file of pixels, without waiting for the disk; returns its hash."""
        self.room, self._write = room, write
        self._change = Condition()
        self._jobs: deque[tuple[Callable[[], object], int]] = deque()
        self._waiting = self._bytes = 0  # jobs that are not done, and what they hold
        self._again: list[Callable[[], object]] = []  # jobs for which there was no memory beside the work
        self._error: BaseException | None = None
        self._closed = False
        self._paths: list[Path] = []
        self._threads = [Thread(target=self._work, daemon=True, name=f"atlas-image-{n}") for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Drop what is not begun, and end."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        end = monotonic() + LEAVING
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))

    def put(self, path: Path, pixels: Callable[[], np.ndarray], size: int) -> Future[str]:
        """Write an image some time, (h, w, 3) or (h, w) of bytes; its file's sha256, which `flush` waits for.

        size: bytes that wait with it. Waits while there is no room for them. Raises what an earlier image has raised.
        """
        self._write_left()
        digest: Future[str] = Future()
        self._paths.append(path)
        self._submit(lambda: digest.set_result(self._write(path, Image.fromarray(pixels()))), size)
        return digest

    def flush(self) -> None:
        """Wait until all images are on the disk, and their folders' entries: one pass.

        OSError: the storage's own. MemoryError: there is none, even now that nobody works on images.
        """
        self._wait_for_all()
        self._write_left()
        for path in self._paths:
            self._submit(partial(sync_file, path), 0)
        self._wait_for_all()
        for folder in dict.fromkeys(path.parent for path in self._paths):
            sync_folder(folder)
        self._paths.clear()

    def _write_left(self) -> None:
        """Do here what there was no memory for beside the work, which waits meanwhile."""
        while self._again:
            self._again.pop()()

    def _submit(self, job: Callable[[], object], size: int) -> None:
        with self._change:
            self._change.wait_for(lambda: self._error or not self._bytes or self._bytes + size <= self.room)
            self._raise()
            self._jobs.append((job, size))
            self._waiting, self._bytes = self._waiting + 1, self._bytes + size
            self._change.notify_all()

    def _wait_for_all(self) -> None:
        with self._change:
            self._change.wait_for(lambda: self._error or not self._waiting)
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return
                job, size = self._jobs.popleft()
            error: BaseException | None = None
            try:
                job()
            except MemoryError:
                self._again.append(job)
            except BaseException as problem:
                error = problem
            with self._change:
                self._error = self._error or error
                self._waiting, self._bytes = self._waiting - 1, self._bytes - size
                self._change.notify_all()
