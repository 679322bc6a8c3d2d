"""Objects as DuckDB reads them: it asks an fsspec file system for the files of a pattern, and for their bytes."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import translate
from glob import has_magic
from io import BytesIO
from re import compile as compiled
from threading import Lock
from time import monotonic
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from atlas.store import bucket as objects

SMALL = 8 << 20  # bytes of an object that is fetched whole, by one request: a shard's rows are far below
KEPT = 64 << 20  # bytes of small objects that are kept: DuckDB reads a file's end again for each view that it stands in
FRESH = 2.0  # seconds for which a listing holds: a statement binds the same files several times


class BucketFiles(AbstractFileSystem):
    """The objects of one bucket, by their URLs; only read."""

    cachable = False

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self.bucket = bucket
        self.protocol = bucket.partition("://")[0]
        self._facts: dict[str, objects.ObjectFacts] = {}  # as the last listings told
        self._listings: dict[str, tuple[float, list[str]]] = {}  # by folder: until when it holds, and the keys
        self._contents: OrderedDict[tuple[str, str], bytes] = OrderedDict()  # by key and tag
        self._lock = Lock()

    def glob(self, path: str, maxdepth: int | None = None, **options: Any) -> list[str]:
        """The URLs that match: one listing below what comes before the first wildcard."""
        key = self._key(path)
        if not has_magic(key):
            return [path] if self._listed(key, self._alone) else []
        parts = key.split("/")
        fixed = next(number for number, part in enumerate(parts) if has_magic(part))
        pattern = compiled(translate(key.replace("**/", "*")))
        keys = self._listed("/".join(parts[:fixed]), self._below)
        return [f"{self.bucket}/{key}" for key in keys if pattern.match(key)]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        key = self._key(path)
        facts = self._facts.get(key) or objects.facts(self.bucket, key)
        return {"name": path, "size": facts.size, "type": "file", "mtime": facts.time}

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self.info(path)["mtime"], UTC)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **options: Any,
    ) -> Any:
        key, size = self._key(path), self.info(path)["size"]
        return BytesIO(self._content(key)) if size <= SMALL else _LargeObject(self, path, size=size)

    def _content(self, key: str) -> bytes:
        facts = self._facts.get(key)
        name = (key, facts.tag if facts is not None else "")
        with self._lock:
            content = self._contents.get(name)
        if content is None:
            content = objects.get(self.bucket, key)
            with self._lock:
                self._contents[name] = content
                while sum(map(len, self._contents.values())) > KEPT:
                    self._contents.popitem(last=False)
        return content

    def _listed(self, folder: str, look: Callable[[str], Iterable[tuple[str, objects.ObjectFacts]]]) -> list[str]:
        until, keys = self._listings.get(folder, (0.0, []))
        if monotonic() > until:
            facts = dict(look(folder))
            self._facts |= facts
            keys = list(facts)
            self._listings[folder] = monotonic() + FRESH, keys
        return keys

    def _below(self, folder: str) -> Iterable[tuple[str, objects.ObjectFacts]]:
        return objects.under(self.bucket, folder)

    def _alone(self, key: str) -> Iterator[tuple[str, objects.ObjectFacts]]:
        with suppress(FileNotFoundError):
            yield key, objects.facts(self.bucket, key)

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self.bucket}/")


class _LargeObject(AbstractBufferedFile):
    """An object of which parts are fetched, ahead of what is read."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return objects.get_range(self.fs.bucket, self.fs._key(self.path), start, end)
