"""The kinds of Parquet files of an atlas: where each lies, its columns, and the text of the DuckDB view that reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import pyarrow as pa

from atlas.store.classes import CLASSES
from atlas.store.index import FAILURES, FOLDER, INDEX, TRACES, files_under
from atlas.store.plans import PLAN
from atlas.store.similarity_tables import (
    CLUSTERS,
    EXAMPLES,
    LAYERS,
    LAYOUT,
    MATCHES,
    MOMENTS,
    NAMES,
    NEIGHBORS,
    QUALITY,
    RESPONSES,
)

TYPES = {
    pa.string(): "VARCHAR",
    FOLDER: "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.list_(pa.float32()): "FLOAT[]",
    pa.list_(pa.uint8()): "UTINYINT[]",
    pa.timestamp("ms", tz="UTC"): "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class ViewFiles:
    """Parquet files of one kind: a single one, or all below a folder."""

    view: str
    path: str  # under the atlas: a file, or a folder
    schema: pa.Schema
    distinct: str = ""  # SELECT's own word: a task that was asked for twice is one task
    hive: bool = False  # folders are named column=value: a filter on the column opens only the folders that it needs
    folder_columns: tuple[str, ...] = ()  # columns that stand in no file, only in the names of its folders
    grown: bool = False  # files of earlier versions lack some columns, which are NULL then

    def files(self, root: Path) -> Iterator[Path]:
        """All that lie in the atlas at `root`."""
        path = root / self.path
        return files_under(path) if path.suffix != ".parquet" else iter([path] if path.is_file() else [])

    def exists(self, root: Path) -> bool:
        """Whether there is at least one."""
        path = root / self.path
        return path.is_file() or next(path.glob("**/*.parquet"), None) is not None

    def sql(self, root: Path, prefix: Path) -> str:
        """The text of the view over the files of the atlas at `root`, whose paths it writes below `prefix`.

        Without a file, which a glob would refuse, the view is empty but has the same columns and types.
        """
        if not self.exists(root):
            return self._empty()
        # a root that itself holds a column=value folder would be read as a partition
        hive = self.hive and "=" not in str(prefix)
        columns = [f'"{name}"' if hive else _from_folder(name) for name in self.folder_columns]
        columns += [f'"{name}"' for name in self.schema.names]
        options = f"hive_partitioning = {str(hive).lower()}"
        options += ", hive_types_autocast = false" if hive else ", filename = true" if self.folder_columns else ""
        glob = self.path if self.path.endswith(".parquet") else f"{self.path}/**/*.parquet"
        files = quoted((Path(escape(str(prefix))) / glob).as_posix())
        rows = f"read_parquet({files}, {options})"
        if self.grown:
            rows = f"read_parquet({files}, {options}, union_by_name = true)"
            rows = f"({self._empty()} UNION ALL BY NAME SELECT * FROM {rows})"
        return f"SELECT {self.distinct}{', '.join(columns)} FROM {rows}"

    def _empty(self) -> str:
        """A table of no rows with all columns and their types."""
        kinds = dict.fromkeys(self.folder_columns, "VARCHAR") | {field.name: TYPES[field.type] for field in self.schema}
        columns = [f'NULL::{kind} AS "{name}"' for name, kind in kinds.items()]
        return f"SELECT {', '.join(columns)} WHERE false"


VIEW_FILES = (
    # no view by itself: `features` is, which adds each image's rank
    ViewFiles("index", "index", INDEX, hive=True),
    ViewFiles("failures", "failures", FAILURES, distinct="DISTINCT ON (task) "),
    ViewFiles("plan", "plans", PLAN, distinct="DISTINCT ON (task) "),
    ViewFiles("classes", "classes.parquet", CLASSES),
    ViewFiles("responses", "responses", RESPONSES, hive=True),
    ViewFiles("neighbors", "neighbors", NEIGHBORS, hive=True, folder_columns=("scope", "measure")),
    ViewFiles("layers", "layers.parquet", LAYERS),
    ViewFiles("matches", "matches.parquet", MATCHES),
    ViewFiles("quality", "quality.parquet", QUALITY),
    ViewFiles("moments", "moments.parquet", MOMENTS),
    ViewFiles("names", "names.parquet", NAMES),
    ViewFiles("clusters", "clusters.parquet", CLUSTERS),
    ViewFiles("layout", "layout.parquet", LAYOUT),
    ViewFiles("examples", "examples", EXAMPLES, hive=True, grown=True),
    ViewFiles("traces", "traces", TRACES, hive=True),
)


def quoted(text: str) -> str:
    """A text as SQL's literal."""
    return "'" + text.replace("'", "''") + "'"


def _from_folder(column: str) -> str:
    """The value of a column, read from the last folder `column=value` of a file's path."""
    return f"regexp_extract(filename, '.*/{column}=([^/]*)/', 1) AS \"{column}\""
