"""A DuckDB connection over an atlas: its Parquet files as views, read only, typed also while there is no file yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import duckdb
import pyarrow as pa

from atlas.store.index import FAILURES, FOLDER, INDEX
from atlas.store.paths import AtlasPaths
from atlas.store.plans import PLAN

TYPES = {
    pa.string(): "VARCHAR",
    FOLDER: "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.list_(pa.float32()): "FLOAT[]",
    pa.timestamp("ms", tz="UTC"): "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class Source:
    """Parquet files of one kind, read by glob."""

    view: str
    folder: str  # under the atlas
    schema: pa.Schema
    distinct: str = ""  # a task that was asked for twice is one task
    hive: bool = False  # whether folders are named column=value: then a filter opens only the folders that it needs

    def exists(self, root: Path) -> bool:
        return next((root / self.folder).glob("**/*.parquet"), None) is not None

    def sql(self, root: Path) -> str:
        """The view's text; empty and typed when there is no file, which DuckDB's glob would refuse."""
        if not self.exists(root):
            columns = (f'NULL::{TYPES[field.type]} AS "{field.name}"' for field in self.schema)
            return f"SELECT {', '.join(columns)} LIMIT 0"
        columns = ", ".join(f'"{name}"' for name in self.schema.names)
        # a root that itself holds a column=value folder would be read as a partition
        hive = self.hive and "=" not in str(root)
        options = f"hive_partitioning = {str(hive).lower()}" + (", hive_types_autocast = false" if hive else "")
        files = quoted(f"{escape(str(root))}/{self.folder}/**/*.parquet")
        return f"SELECT {self.distinct} {columns} FROM read_parquet({files}, {options})"


SOURCES = (
    Source("features", "index", INDEX, hive=True),
    Source("failures", "failures", FAILURES, distinct="DISTINCT ON (task)"),
    Source("plan", "plans", PLAN, distinct="DISTINCT ON (task)"),
)
SHARED = "task, feature, model, layer, layer_index, channel, target, metric, seed"
DERIVED = {
    "images": """
        SELECT task, feature, model, layer, channel, target, metric, seed, recipe,
            image, {root} || '/' || image AS path, image_sha256, width, height
        FROM features WHERE image IS NOT NULL""",
    "tasks": f"""
        SELECT {SHARED}, recipe, status AS state, image, image_sha256 FROM features
        UNION ALL
        SELECT {SHARED}, coalesce(f.recipe, p.recipe) AS recipe, 'failed', NULL, NULL
        FROM failures f LEFT JOIN (SELECT task, recipe FROM plan) p USING (task)
        WHERE task NOT IN (SELECT task FROM features)
        UNION ALL
        SELECT {SHARED}, recipe, 'left', NULL, NULL FROM plan
        WHERE task NOT IN (SELECT task FROM features) AND task NOT IN (SELECT task FROM failures)""",
}
VIEWS = (*(source.view for source in SOURCES), *DERIVED)
SETTINGS = {
    "TimeZone": "'UTC'",
    "temp_directory": "''",  # a query that spills would write beside whoever asks it
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "parquet_metadata_cache": "true",  # index files are never rewritten; the others are told by their time
}


def connect(paths: AtlasPaths) -> duckdb.DuckDBPyConnection:
    """Open an atlas: the views, and a connection that reaches no file outside it and whose settings are locked."""
    root = paths.root.resolve()
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    for name, value in SETTINGS.items():
        connection.execute(f"SET {name} = {value}")
    define(connection, root, SOURCES)
    for view, text in DERIVED.items():
        connection.execute(f"CREATE VIEW {view} AS {text.replace('{root}', quoted(str(root)))}")
    # asked twice: for the glob, where [ * ? of the path are escaped, and for the files that it finds
    connection.execute(f"SET allowed_directories = [{quoted(str(root))}, {quoted(escape(str(root)))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def define(connection: duckdb.DuckDBPyConnection, root: Path, sources: Iterable[Source]) -> None:
    """(Re)define the views over files: those of a kind that had no file yet, once there is one."""
    for source in sources:
        connection.execute(f"CREATE OR REPLACE VIEW {source.view} AS {source.sql(root)}")


def empty_sources(root: Path) -> list[Source]:
    return [source for source in SOURCES if not source.exists(root)]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
