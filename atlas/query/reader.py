"""An open atlas as the functions of this package take it: its paths, its manifest, and SQL over its views."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from atlas.query.described import with_descriptions
from atlas.query.guard import answer, answer_by_batches, explaining
from atlas.query.interruption import interrupted_unless
from atlas.query.views import connect, define, empty_view_files
from atlas.store.bucket_path import path_of
from atlas.store.manifest import read_manifest
from atlas.store.paths import AtlasPaths


class Reader:
    """A connection to one atlas, which is only read. `with` closes it; threads may share one."""

    def __init__(self, path: str | Path) -> None:
        """Open the folder `path`; NotAnAtlas when it is none, Damaged with the file that cannot be read."""
        self.path = path_of(path)
        self.paths = AtlasPaths(self.path)
        self.manifest: dict[str, Any] = read_manifest(self.paths.manifest)
        self._root = self.path.resolve()
        self._empty = empty_view_files(self._root)
        with explaining(self._root):
            self._connection = connect(self.paths)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def close(self) -> None:
        """Close the connection; asking after that is an error."""
        with self._lock:
            self._connection.close()

    def sql(self, text: str, wanted: Callable[[], bool] | None = None) -> pa.Table:
        """Answer one reading statement over the views (`show tables` lists them).

        wanted: looked at while the statement runs, which ends as soon as nobody wants its answer any more.

        QueryError with DuckDB's message for a mistake in the text or a statement that writes; Damaged with the name of
        a file that cannot be read.
        """
        self._notice_first_files()
        with self._cursor() as cursor, interrupted_unless(wanted, cursor):
            return with_descriptions(answer(cursor, text, self._root), text)

    def batches(self, text: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Answer a statement as `sql` does, at most `rows` rows at a time: for answers larger than the memory."""
        self._notice_first_files()
        with self._cursor() as cursor:
            yield from answer_by_batches(cursor, text, self._root, rows)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of its own for each statement; the connection refuses a second thread while it makes one."""
        with self._lock:
            return self._connection.cursor()

    def _notice_first_files(self) -> None:
        """Define the views anew once a run has published the first file of a kind that the atlas had none of."""
        with self._lock:
            empty = empty_view_files(self._root, self._empty) if self._empty else []
            published = [kind for kind in self._empty if kind not in empty]
            if published:
                with explaining(self._root), self._connection.cursor() as cursor:
                    define(cursor, self._root)
                self._empty = [kind for kind in self._empty if kind not in published]
