"""Files that are whole or absent: written under a temporary name, flushed to the disk, then renamed.

In an object store they are so by themselves: an object is there once all of it has arrived.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from atlas.store.bucket_path import BucketPath, is_remote

LONGEST_STEM = 100  # characters of a file's name that its temporary name repeats: the system allows 255 in all


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, durable: bool = True) -> None:
    """Make `path` hold what `write` puts into the open file, or leave it as it was; OSError as the system says it.

    durable=False does not wait for the disk, for what can be made again: after a power cut the file may be cut short.
    """
    if is_remote(path):
        content = BytesIO()
        write(content)
        path.write_bytes(content.getvalue())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:LONGEST_STEM]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            # a full disk says so without a word of where
            error.filename = str(path)
        raise
    if durable:
        sync_folder(path.parent)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Make `path` hold the data, or leave it as it was; `durable` as for `write_whole`."""
    write_whole(path, lambda file: file.write(data), durable=durable)


def write_json(path: Path, value: Any) -> None:
    """Write a value as one whole file of indented JSON, UTF-8. TypeError: JSON has no such value. OSError: the system's own."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file. ValueError: it holds none. OSError: the system's own, or that it is no file."""
    if not is_remote(path) and path.exists() and not path.is_file():
        raise OSError(f"{path} is no file")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def publish(source: Path, target: Path) -> None:
    """Move a finished file to where readers look for it: one atomic rename on one file system.

    After an OSError it can be called again: if the file has already moved, nothing changes. In an object store the
    target is created, never replaced: FileExistsError where another run has published it.
    """
    if is_remote(source) and is_remote(target):
        _publish_object(source, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.exists() or not target.exists():
        os.replace(source, target)
    sync_folder(target.parent)


def _publish_object(source: BucketPath, target: BucketPath) -> None:
    try:
        content = source.read_bytes()
    except FileNotFoundError:
        if target.is_file():
            return
        raise
    # a store may have written it, and its answer was lost
    if not target.create(content) and target.read_bytes() != content:
        raise FileExistsError(errno.EEXIST, "another run has published it", str(target))
    source.unlink()


def readable(path: Path) -> Path | BytesIO:
    """What a library that reads files is given: the path, or the content of an object."""
    return BytesIO(path.read_bytes()) if is_remote(path) else path


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, as far as it can be removed."""
    if is_remote(path):
        path.remove_tree()
    else:
        shutil.rmtree(path, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename outlives a power cut."""
    sync_file(folder)


def sync_file(path: Path) -> None:
    """Flush what a file that was written without waiting for the disk holds; an object has long arrived."""
    if is_remote(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
