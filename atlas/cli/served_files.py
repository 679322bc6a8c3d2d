"""Files that `atlas serve` may send: a path of a URL in, a file inside the atlas or None out, and parts of files."""

import re
from contextlib import suppress
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from urllib.parse import quote

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def folder_of_page(root: Path, path: str) -> str | None:
    """The folder that a path without a `/` at its end names, if it has a page: its relative links need that `/`."""
    file = _inside(root, path)
    with suppress(OSError):
        if file is not None and not path.endswith("/") and (file / "index.html").is_file():
            return quote(file.relative_to(root).as_posix())
    return None


def open_file(root: Path, path: str) -> BufferedReader | None:
    """Open the file at a path, or the page of the folder there; None when there is none or it cannot be read."""
    file = _inside(root, path)
    with suppress(OSError):
        if file is not None and file.is_dir():
            file = _inside(root, f"{path}/index.html")
        if file is not None and file.is_file():
            return open(file, "rb")
    return None


def _inside(root: Path, path: str) -> Path | None:
    """The file that a path leads to, links followed; None when it is outside `root` or no file can have that name."""
    try:
        file = (root / path.lstrip("/")).resolve()
    # a name that is too long, one with a NUL, links in a circle
    except (OSError, ValueError, RuntimeError):
        return None
    return file if file.is_relative_to(root) else None


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte of a Range header and the one after the last; without a header all, None for bytes that are not there."""
    match = RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else None
    stop = min(size, int(last) + 1) if last else size
    return (int(first), stop) if int(first) < stop else None


def copy_bytes(source: BufferedIOBase, target: BufferedIOBase, start: int, stop: int) -> None:
    """Copy the bytes from `start` up to `stop`, at most 1 MiB in memory at once."""
    source.seek(start)
    left = stop - start
    while left > 0 and (piece := source.read(min(left, 1 << 20))):
        target.write(piece)
        left -= len(piece)
