"""The Parquet files of an atlas as DuckDB reads them: where each kind lies, its columns, and its view's text."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import pyarrow as pa

from atlas.store.index import FAILURES, FOLDER, INDEX, TRACES, files_under
from atlas.store.plans import PLAN
from atlas.store.similarity_tables import CLUSTERS, EXAMPLES, LAYERS, LAYOUT, MATCHES, NEIGHBORS, QUALITY, RESPONSES

TYPES = {
    pa.string(): "VARCHAR",
    FOLDER: "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.list_(pa.float32()): "FLOAT[]",
    pa.timestamp("ms", tz="UTC"): "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class ViewFiles:
    """Parquet files of one kind: a single one, or all below a folder."""

    view: str
    place: str  # under the atlas
    schema: pa.Schema
    distinct: str = ""  # a task that was asked for twice is one task
    hive: bool = False  # whether folders are named column=value: then a filter opens only the folders that it needs
    folders: tuple[str, ...] = ()  # columns that stand in no file, only in the names of their folders

    def files(self, root: Path) -> Iterator[Path]:
        path = root / self.place
        return files_under(path) if path.suffix != ".parquet" else iter([path] if path.is_file() else [])

    def exists(self, root: Path) -> bool:
        path = root / self.place
        return path.is_file() or next(path.glob("**/*.parquet"), None) is not None

    def sql(self, root: Path, named: Path) -> str:
        """The view's text, its files below `named`; empty and typed when there is none, which a glob would refuse."""
        if not self.exists(root):
            kinds = dict.fromkeys(self.folders, "VARCHAR") | {field.name: TYPES[field.type] for field in self.schema}
            columns = [f'NULL::{kind} AS "{name}"' for name, kind in kinds.items()]
            return f"SELECT {', '.join(columns)} LIMIT 0"
        # a root that itself holds a column=value folder would be read as a partition
        hive = self.hive and "=" not in str(named)
        columns = [f'"{name}"' if hive else _from_folder(name) for name in self.folders]
        columns += [f'"{name}"' for name in self.schema.names]
        options = f"hive_partitioning = {str(hive).lower()}"
        options += ", hive_types_autocast = false" if hive else ", filename = true" if self.folders else ""
        glob = self.place if self.place.endswith(".parquet") else f"{self.place}/**/*.parquet"
        files = quoted((Path(escape(str(named))) / glob).as_posix())
        return f"SELECT {self.distinct}{', '.join(columns)} FROM read_parquet({files}, {options})"


VIEW_FILES = (
    ViewFiles("index", "index", INDEX, hive=True),  # no view by itself: `features` is, which ranks its images
    ViewFiles("failures", "failures", FAILURES, distinct="DISTINCT ON (task) "),
    ViewFiles("plan", "plans", PLAN, distinct="DISTINCT ON (task) "),
    ViewFiles("responses", "responses", RESPONSES, hive=True),
    ViewFiles("neighbors", "neighbors", NEIGHBORS, hive=True, folders=("scope", "measure")),
    ViewFiles("layers", "layers.parquet", LAYERS),
    ViewFiles("matches", "matches.parquet", MATCHES),
    ViewFiles("quality", "quality.parquet", QUALITY),
    ViewFiles("clusters", "clusters.parquet", CLUSTERS),
    ViewFiles("layout", "layout.parquet", LAYOUT),
    ViewFiles("examples", "examples", EXAMPLES, hive=True),
    ViewFiles("traces", "traces", TRACES, hive=True),
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _from_folder(column: str) -> str:
    """A column out of the last folder of that name in a file's path."""
    return f"regexp_extract(filename, '.*/{column}=([^/]*)/', 1) AS \"{column}\""
