"""Files that are whole or absent: written under a temporary name, flushed to the disk, then renamed."""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make `path` hold what `write` puts into the open file, or leave it as it was. OSError: the system's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes as one whole file. OSError: the system's own."""
    write_whole(path, lambda file: file.write(data))


def write_json(path: Path, value: Any) -> None:
    """Write a value as one whole file of indented JSON, UTF-8. TypeError: JSON has no such value. OSError: the system's own."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def publish(source: Path, target: Path) -> None:
    """Move a finished file to where readers look for it: one atomic rename on one file system.

    After an OSError it can be called again: if the file has already moved, nothing changes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.exists() or not target.exists():
        os.replace(source, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
