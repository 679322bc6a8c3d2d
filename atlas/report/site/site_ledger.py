"""site/made.json: for every file of the site, a digest of what it was made from, and its size.

A rerun offers all files to the ledger again, makes only those that have changed, and removes those that
nobody offered.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from types import TracebackType
from typing import Any, NamedTuple, Self

from atlas.store.bucket_path import is_remote
from atlas.store.files import read_json, write_bytes
from atlas.store.paths import AtlasPaths
from atlas.store.sweeping import HALF

NEVER = ""  # the digest of a file that is to be made anew by every run


class FileMark(NamedTuple):
    digest: str  # of what the file was made from
    size: int  # bytes written: a file of another size was cut short, or is somebody else's


UNKNOWN = FileMark(NEVER, -1)


class SiteLedger:
    """Which files of a site are up to date: `with SiteLedger(paths) as ledger:`, then offer every file with its digest.

    At the end, files that nobody offered are removed. An error, or Ctrl-C, removes nothing, and keeps what is known of
    all that was written.
    """

    def __init__(self, paths: AtlasPaths) -> None:
        self.written = self.kept = self.removed = 0
        self._paths = paths
        self._known = _read(paths.site_ledger)
        self._claimed: dict[str, FileMark] = {}
        self._sizes: dict[str, int] = {}  # of the objects, as one listing told

    def __enter__(self) -> Self:
        self._paths.site.mkdir(exist_ok=True)
        if is_remote(self._paths.site):
            self._sizes = {str(path): path.stat().st_size for path in self._paths.site.rglob("*")}
            return self
        for part in self._paths.site.rglob(".*.part"):  # of a process that was killed
            if HALF.fullmatch(part.name):
                part.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._remove_others()
        self.save()

    def write(self, file: Path, digest: str, make: Callable[[], bytes]) -> None:
        """Write what `make` gives, unless the file is there and was made from the same."""
        if self.wants(file, digest):
            self.put(file, digest, make())

    def wants(self, file: Path, digest: str) -> bool:
        """Claim a file; returns whether it is to be written."""
        name = self._name(file)
        mark = self._known.get(name, UNKNOWN)
        wanted = digest == NEVER or mark.digest != digest or mark.size != self._size_of(file)
        self._claimed[name] = UNKNOWN if wanted else mark
        self.kept += not wanted
        return wanted

    def put(self, file: Path, digest: str, data: bytes) -> None:
        """Write a file that was claimed; one that holds the same bytes is left alone, since browsers have it in their caches."""
        same = self._size_of(file) == len(data) and file.read_bytes() == data
        if not same:
            write_bytes(file, data, durable=False)
        self._claimed[self._name(file)] = FileMark(digest, len(data))
        self.kept += same
        self.written += not same

    def digest(self, file: Path) -> str:
        """What a file that was claimed and written is made from; NEVER where it is to be made anew, or is not claimed."""
        return self._claimed.get(self._name(file), UNKNOWN).digest

    def drop(self, file: Path) -> None:
        """Take back a claim, since there is nothing to write; what lies there is removed at the end."""
        name = self._name(file)
        self._known[name] = self._claimed.pop(name)

    def save(self) -> None:
        """Write what is known of all files, those of earlier runs too."""
        marks = {**self._known, **self._claimed}
        write_bytes(self._paths.site_ledger, json.dumps(marks, sort_keys=True).encode(), durable=False)

    def _remove_others(self) -> None:
        for name in self._known.keys() - self._claimed.keys():
            file = self._paths.site / name
            self.removed += file.is_file()
            file.unlink(missing_ok=True)
            if is_remote(file):
                continue
            with suppress(OSError):  # of the folders above, those that are empty now
                for folder in file.relative_to(self._paths.site).parents[:-1]:
                    (self._paths.site / folder).rmdir()
        self._known = {}

    def _size_of(self, file: Path) -> int:
        return self._sizes.get(str(file), UNKNOWN.size) if is_remote(file) else size_of(file)

    def _name(self, file: Path) -> str:
        return file.relative_to(self._paths.site).as_posix()


def size_of(file: Path) -> int:
    """Bytes of a file; -1 where there is none, or something else than a file."""
    try:
        stat = file.stat()
    except OSError:
        return UNKNOWN.size
    return stat.st_size if S_ISREG(stat.st_mode) else UNKNOWN.size


def _read(path: Path) -> dict[str, FileMark]:
    """The marks by file; none where no ledger can be read. Names that lead out of the site are left out."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    entries = content.items() if isinstance(content, dict) else ()
    return {name: _mark(entry) for name, entry in entries if _inside(PurePosixPath(name))}


def _mark(entry: Any) -> FileMark:
    """UNKNOWN for an entry that makes no sense: its file is made anew, or removed."""
    match entry:
        case [str(digest), int(size)]:
            return FileMark(digest, size)
        case _:
            return UNKNOWN


def _inside(name: PurePosixPath) -> bool:
    return bool(name.parts) and not name.is_absolute() and ".." not in name.parts
