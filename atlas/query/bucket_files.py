"""Objects as DuckDB reads them: it asks an fsspec file system for the files of a pattern, and for their bytes."""

from collections.abc import Iterator
from fnmatch import translate
from glob import has_magic
from io import BytesIO
from re import compile as compiled
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from atlas.store import bucket as objects

SMALL = 8 << 20  # bytes of an object that is fetched whole, by one request: a shard's rows are far below


class BucketFiles(AbstractFileSystem):
    """The objects of one bucket, by their URLs; only read."""

    cachable = False

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self.bucket = bucket
        self.protocol = bucket.partition("://")[0]
        self._facts: dict[str, objects.ObjectFacts] = {}  # as the last listings told

    def glob(self, path: str, maxdepth: int | None = None, **options: Any) -> list[str]:
        """The URLs that match: one listing below what comes before the first wildcard."""
        key = self._key(path)
        if not has_magic(key):
            return [path] if self._found(key) else []
        parts = key.split("/")
        fixed = next(number for number, part in enumerate(parts) if has_magic(part))
        pattern = compiled(translate(key.replace("**/", "*")))
        return [f"{self.bucket}/{key}" for key in self._listed("/".join(parts[:fixed])) if pattern.match(key)]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        key = self._key(path)
        facts = self._facts.get(key) or objects.facts(self.bucket, key)
        return {"name": path, "size": facts.size, "type": "file", "mtime": facts.time}

    def modified(self, path: str) -> Any:
        from datetime import UTC, datetime

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
        return BytesIO(objects.get(self.bucket, key)) if size <= SMALL else _LargeObject(self, path, size=size)

    def _listed(self, folder: str) -> Iterator[str]:
        for key, facts in objects.under(self.bucket, folder):
            self._facts[key] = facts
            yield key

    def _found(self, key: str) -> bool:
        try:
            self._facts[key] = objects.facts(self.bucket, key)
        except FileNotFoundError:
            return False
        return True

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self.bucket}/")


class _LargeObject(AbstractBufferedFile):
    """An object of which parts are fetched, ahead of what is read."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return objects.get_range(self.fs.bucket, self.fs._key(self.path), start, end)
