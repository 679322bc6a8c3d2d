"""The kinds of Parquet files of an atlas: where each lies, its columns, and the text of the DuckDB view that reads it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from glob import escape
from itertools import islice
from pathlib import Path

import pyarrow as pa

from atlas.store.bucket_path import is_remote
from atlas.store.classes import CLASSES
from atlas.store.damaged_file import DamagedFile
from atlas.store.index import FAILURES, INDEX, TRACES, files_under, folder_columns, whole_name
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

HOME = Path()  # the views of atlas.sql are relative to a folder that DuckDB is told of when it begins
TYPES = {
    pa.string(): "VARCHAR",
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
    folder_columns: tuple[str, ...] = ()  # that the names of a file's folders tell; those not in `schema` come first
    replaced: Mapping[str, str] = field(default_factory=dict)  # columns that earlier versions wrote otherwise, as SQL
    grown: bool = False  # files of earlier versions lack some columns, which are NULL then

    def files(self, root: Path) -> Iterator[Path]:
        """All that lie in the atlas at `root`."""
        path = root / self.path
        return files_under(path) if path.suffix != ".parquet" else iter([path] if path.is_file() else [])

    def exists(self, root: Path) -> bool:
        """Whether there is at least one."""
        path = root / self.path
        if is_remote(path):
            return path.is_file() if path.suffix else any(True for _ in path.rglob("*.parquet"))
        return path.is_file() or next(path.glob("**/*.parquet"), None) is not None

    def sql(self, root: Path, prefix: Path, has_files: bool) -> str:
        """The text of the view over the files of the atlas at `root`, whose paths it writes below `prefix`.

        has_files: without one, which a glob would refuse, the view is empty but has the same columns and types.
        """
        if not has_files:
            return self._empty()
        # a root that itself holds a column=value folder would be read as a partition
        hive = self.hive and "=" not in str(prefix)
        columns = ", ".join(self._column(name, root, hive) for name in self._names())
        options = f"hive_partitioning = {str(hive).lower()}"
        options += ", hive_types_autocast = false" if hive else ", filename = true" if self.folder_columns else ""
        glob = self.path if self.path.endswith(".parquet") else f"{self.path}/**/*.parquet"
        files = quoted(glob if prefix == HOME else f"{escape(str(prefix))}/{glob}")
        rows = f"read_parquet({files}, {options})"
        if self.grown:
            rows = f"read_parquet({files}, {options}, union_by_name = true)"
            rows = f"({self._empty()} UNION ALL BY NAME SELECT * FROM {rows})"
        return f"SELECT {self.distinct}{columns} FROM {rows}"

    def _names(self) -> list[str]:
        """All columns in their order."""
        return [*(name for name in self.folder_columns if name not in self.schema.names), *self.schema.names]

    def _column(self, name: str, root: Path, hive: bool) -> str:
        """The text that selects a column."""
        if name not in self.folder_columns:
            return f'{self.replaced[name]} AS "{name}"' if name in self.replaced else f'"{name}"'
        told = f'"{name}"' if hive else f"url_decode(regexp_extract(filename, '.*/{name}=([^/]*)/', 1))"
        whole = self._whole_names(root, name)
        cases = " ".join(f"WHEN {quoted(short)} THEN {quoted(whole[short])}" for short in sorted(whole))
        return f'CASE {told} {cases} ELSE {told} END AS "{name}"' if cases else f'{told} AS "{name}"'

    def _whole_names(self, root: Path, column: str) -> dict[str, str]:
        """The values of a column that were too long for a folder's name, by what the folder is called."""
        folders = "/".join(f"{name}=*~*" if name == column else f"{name}=*" for name in self.folder_columns)
        values: dict[str, str] = {}
        for folder in (root / self.path).glob(folders):
            for file in islice(files_under(folder), 1):
                with suppress(DamagedFile):
                    values[folder_columns(file)[column]] = whole_name(file, column)
        return {short: whole for short, whole in values.items() if short != whole}

    def _empty(self) -> str:
        """A table of no rows with all columns and their types."""
        kinds = dict.fromkeys(self.folder_columns, "VARCHAR") | {field.name: TYPES[field.type] for field in self.schema}
        columns = [f'NULL::{kinds[name]} AS "{name}"' for name in self._names()]
        return f"SELECT {', '.join(columns)} WHERE false"


# an earlier version kept the whole traceback as the message
LINES = r"string_split(rtrim(error_message, chr(10) || chr(32)), chr(10))"
FAILURE_TEXTS = {
    "error_message": f"trim({LINES}[-1])",
    "traceback": f"coalesce(traceback, CASE WHEN len({LINES}) > 1 THEN error_message END)",
}
LAYER = ("model", "layer")  # columns that the folders of a layer tell
VIEW_FILES = (
    # no view by itself: `features` is, which adds each image's rank
    ViewFiles("index", "index", INDEX, hive=True, folder_columns=LAYER),
    ViewFiles("failures", "failures", FAILURES, distinct="DISTINCT ON (task) ", replaced=FAILURE_TEXTS, grown=True),
    ViewFiles("plan", "plans", PLAN, distinct="DISTINCT ON (task) "),
    ViewFiles("classes", "classes.parquet", CLASSES),
    ViewFiles("responses", "responses", RESPONSES, hive=True, folder_columns=("probe", *LAYER)),
    ViewFiles("neighbors", "neighbors", NEIGHBORS, hive=True, folder_columns=("scope", "measure")),
    ViewFiles("layers", "layers.parquet", LAYERS),
    ViewFiles("matches", "matches.parquet", MATCHES),
    ViewFiles("quality", "quality.parquet", QUALITY),
    ViewFiles("moments", "moments.parquet", MOMENTS),
    ViewFiles("names", "names.parquet", NAMES),
    ViewFiles("clusters", "clusters.parquet", CLUSTERS),
    ViewFiles("layout", "layout.parquet", LAYOUT),
    ViewFiles("examples", "examples", EXAMPLES, hive=True, folder_columns=("probe",), grown=True),
    ViewFiles("traces", "traces", TRACES, hive=True, folder_columns=LAYER),
)


def quoted(text: str) -> str:
    """A text as SQL's literal."""
    return "'" + text.replace("'", "''") + "'"
