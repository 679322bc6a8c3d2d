"""A path into an object store that stands in for pathlib's: it has those methods that the store and its readers use.

Only `atlas.store` knows the difference: it writes an object in one piece where it would write and rename a file, and
hands libraries an object's content where it would hand them a file's name (`files.readable`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from importlib import import_module
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, cast

if TYPE_CHECKING:
    from atlas.store.bucket import ObjectFacts

MARK = "://"  # in what names a place in an object store


class Stat(NamedTuple):
    """Of os.stat what an object has."""

    st_size: int
    st_mtime: float

    @property
    def st_mtime_ns(self) -> int:
        return round(self.st_mtime * 1e9)


def path_of(place: "str | Path") -> Path:
    """The path of a folder, or of a URL as `s3://bucket/prefix`, as pathlib's or as one that stands in for it."""
    if not isinstance(place, str):
        return place
    scheme, mark, rest = place.partition(MARK)
    if not mark:
        return Path(place)
    bucket, _, key = rest.partition("/")
    parts = [part for part in key.split("/") if part]
    return cast(Path, BucketPath(f"{scheme}{MARK}{bucket}", "/".join(parts)))


def is_remote(path: Any) -> "TypeGuard[BucketPath]":
    """Whether a path leads into an object store. All others take either for pathlib's own, and so do their types."""
    return isinstance(path, BucketPath)


def remove_objects(paths: "Sequence[Any]") -> None:
    """Remove objects of one bucket, a thousand by a call."""
    if paths:
        _bucket().delete(paths[0].bucket, [path.key for path in paths])


@dataclass(frozen=True, order=True)
class BucketPath:
    """An object, or the beginning of the keys of some: in a store there are no folders."""

    bucket: str  # `s3://bucket`
    key: str  # without a slash at either end
    listing: "ObjectFacts | None" = field(default=None, compare=False)  # what one has told of it, which saves a call

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    def __truediv__(self, other: object) -> "BucketPath":
        if str(other) in ("", "."):
            return self
        return BucketPath(self.bucket, f"{self.key}/{other}" if self.key else str(other))

    def __reduce__(self) -> tuple[Any, ...]:
        return BucketPath, (self.bucket, self.key)

    @cached_property
    def _pure(self) -> PurePosixPath:
        return PurePosixPath(self.key)

    @property
    def name(self) -> str:
        return self._pure.name

    @property
    def stem(self) -> str:
        return self._pure.stem

    @property
    def suffix(self) -> str:
        return self._pure.suffix

    @property
    def parent(self) -> "BucketPath":
        return BucketPath(self.bucket, self.key.rpartition("/")[0])

    @property
    def parents(self) -> "list[BucketPath]":
        parents = [self.parent]
        while parents[-1].key:
            parents.append(parents[-1].parent)
        return parents

    def with_name(self, name: str) -> "BucketPath":
        return self.parent / name

    def with_suffix(self, suffix: str) -> "BucketPath":
        return self.parent / self._pure.with_suffix(suffix).name

    def as_posix(self) -> str:
        return str(self)

    def relative_to(self, other: "BucketPath") -> PurePosixPath:
        return self._pure.relative_to(other._pure)

    def absolute(self) -> "BucketPath":
        return self

    def resolve(self) -> "BucketPath":
        return self

    def is_symlink(self) -> bool:
        return False

    def stat(self) -> Stat:
        """FileNotFoundError where there is no object."""
        facts = self.listing or _bucket().facts(self.bucket, self.key)
        return Stat(facts.size, facts.time)

    def facts(self) -> "ObjectFacts":
        """What the store says of the object now; FileNotFoundError."""
        return _bucket().facts(self.bucket, self.key)

    def is_file(self) -> bool:
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        return self.listing is None and any(True for _ in self.iterdir())

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing is to be made: a folder is there as soon as there is an object in it."""

    def iterdir(self) -> "Iterator[BucketPath]":
        folders, files = _bucket().children(self.bucket, self.key)
        yield from (BucketPath(self.bucket, key) for key in folders)
        yield from (BucketPath(self.bucket, key, facts) for key, facts in files.items())

    def glob(self, pattern: str) -> "Iterator[BucketPath]":
        """As pathlib's, level by level; `**` only at the beginning."""
        first, _, rest = pattern.partition("/")
        if first == "**":
            yield from self.rglob(rest)
            return
        for path in self.iterdir():
            if fnmatchcase(path.name, first):
                yield from path.glob(rest) if rest else [path]

    def rglob(self, pattern: str) -> "Iterator[BucketPath]":
        """The objects below whose name matches: one call, and no folders."""
        for key, facts in _bucket().under(self.bucket, self.key):
            if fnmatchcase(key.rpartition("/")[2], pattern):
                yield BucketPath(self.bucket, key, facts)

    def read_bytes(self) -> bytes:
        return _bucket().get(self.bucket, self.key)

    def read_text(self, encoding: str = "utf-8") -> str:
        return self.read_bytes().decode(encoding)

    def open(self, mode: str = "rb") -> BytesIO:
        assert mode == "rb", "an object is written in one piece"
        return BytesIO(self.read_bytes())

    def write_bytes(self, data: bytes) -> None:
        _bucket().put(self.bucket, self.key, data)

    def write_text(self, text: str) -> None:
        self.write_bytes(text.encode())

    def create(self, data: bytes) -> bool:
        """Write the object unless there is one; whether this call did."""
        return _bucket().create(self.bucket, self.key, data)

    def replace_if(self, former: "ObjectFacts", data: bytes) -> bool:
        """Write the object if it is still the former one; whether this call did."""
        return _bucket().replace(self.bucket, self.key, data, former)

    def unlink(self, missing_ok: bool = False) -> None:
        _bucket().delete(self.bucket, [self.key])

    def remove_tree(self) -> None:
        """Remove every object below."""
        _bucket().delete(self.bucket, [key for key, _ in _bucket().under(self.bucket, self.key)])


def _bucket() -> ModuleType:
    """What speaks to the store, which an installation may lack, and which only an atlas there needs."""
    return import_module("atlas.store.bucket")
