"""site/made.json: of every file of the site what it was made from, and its size; so a rerun makes only what has changed."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from types import TracebackType
from typing import Any, NamedTuple, Self

from atlas.store.paths import AtlasPaths

NEVER = ""  # the digest of a file that is to be made anew each time


def digest_of(*parts: Any) -> str:
    """Digest of plain values and bytes."""
    found = blake2b(digest_size=10)
    for part in parts:
        found.update(part if isinstance(part, bytes) else repr(part).encode())
        found.update(b"\0")
    return found.hexdigest()


class FileMark(NamedTuple):
    digest: str  # of what a file was made from
    size: int  # that it was written with: a file of another one was cut short, or is somebody else's


UNKNOWN = FileMark(NEVER, -1)


class SiteLedger:
    """`with SiteLedger(paths) as ledger:` files are offered; at the end those that nobody offered are removed.

    An error, or Ctrl-C, removes nothing, and keeps what is known of all that was written.
    """

    def __init__(self, paths: AtlasPaths) -> None:
        self.written = self.kept = self.removed = 0
        self._paths = paths
        self._known = _read(paths.site_ledger)
        self._claimed: dict[str, FileMark] = {}

    def __enter__(self) -> Self:
        self._paths.site.mkdir(exist_ok=True)
        for part in self._paths.site.rglob(".*.part"):  # of a process that was killed
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
        """Claim a file; whether it is to be written."""
        name = self._name(file)
        known = self._known.get(name, UNKNOWN)
        wanted = digest == NEVER or known.digest != digest or known.size != size_of(file)
        self._claimed[name] = UNKNOWN if wanted else known
        self.kept += not wanted
        return wanted

    def put(self, file: Path, digest: str, data: bytes) -> None:
        """Write a file that was claimed; one that holds the same already is left alone, since browsers keep it."""
        same = size_of(file) == len(data) and file.read_bytes() == data
        if not same:
            _replace(file, data)
        self._claimed[self._name(file)] = FileMark(digest, len(data))
        self.kept += same
        self.written += not same

    def drop(self, file: Path) -> None:
        """Claim a file no more: there is nothing to write; what lies there goes with the others, at the end."""
        name = self._name(file)
        self._known[name] = self._claimed.pop(name)

    def save(self) -> None:
        _replace(
            self._paths.site_ledger, json.dumps({**self._known, **self._claimed}, indent=0, sort_keys=True).encode()
        )

    def _remove_others(self) -> None:
        for name in self._known.keys() - self._claimed.keys():
            file = self._paths.site / name
            self.removed += file.is_file()
            file.unlink(missing_ok=True)
            with suppress(OSError):  # of the folders above, those that are empty now
                for folder in file.relative_to(self._paths.site).parents[:-1]:
                    (self._paths.site / folder).rmdir()
        self._known = {}

    def _name(self, file: Path) -> str:
        return file.relative_to(self._paths.site).as_posix()


def size_of(file: Path) -> int:
    """-1: it is not there, or no file."""
    try:
        found = file.stat()
    except OSError:
        return UNKNOWN.size
    return found.st_size if S_ISREG(found.st_mode) else UNKNOWN.size


def _replace(file: Path, data: bytes) -> None:
    """Write a file whole or not at all; all can be made again, so nothing waits for the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name[:100]}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, FileMark]:
    """What is known; nothing when there is none that can be read. Names that lead out of the site are not believed."""
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    items = said.items() if isinstance(said, dict) else ()
    return {name: _made(told) for name, told in items if _inside(PurePosixPath(name))}


def _made(told: Any) -> FileMark:
    """A file of which nothing sensible is said is made anew, or removed."""
    match told:
        case [str(digest), int(size)]:
            return FileMark(digest, size)
        case _:
            return UNKNOWN


def _inside(name: PurePosixPath) -> bool:
    return bool(name.parts) and not name.is_absolute() and ".." not in name.parts
