"""A DuckDB connection over an atlas: its Parquet files as views, read only, with their types even before any file."""

from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path

import duckdb

from atlas.query.view_files import HOME, VIEW_FILES, ViewFiles, quoted
from atlas.store.bucket_path import is_remote
from atlas.store.files import write_bytes
from atlas.store.paths import AtlasPaths

READ, READ_THERE = "read_parquet('", "read_parquet(getvariable('atlas_files') || '"
TASK_COLUMNS = "task, feature, model, layer, layer_index, channel, target, metric, seed"
# ORDER BY whose first row is the image that stands for a feature: the plain target, then the first metric and seed,
# of two recipes the newer
STANDS = "target <> 'channel', metric, seed, created DESC, task"
# the order of all images of a feature
IMAGE_ORDER = "metric, target <> 'channel', target, seed, created DESC"
# ORDER BY whose first probe is the one whose names count: photographs before PatternNet's drawings
NAMES_FIRST = "probe = 'patterns', probe"
# what a feature of some weights is called: the class that it stands for, else the label whose pictures drive it;
# a group, so that no row is doubled
FEATURE_NAMES = f"""
    (SELECT feature, weights, first(name ORDER BY not_class, {NAMES_FIRST}) AS name FROM
        (SELECT feature, weights, name, 0 AS not_class, '' AS probe FROM classes UNION ALL
         SELECT feature, weights, name, 1 AS not_class, probe FROM names WHERE name IS NOT NULL)
     GROUP BY feature, weights) called"""
# how far a neighbor's score goes beyond its baseline: above it, of opposites below it
EXCESS = "(score - baseline) * sign AS excess"
DERIVED = {
    # joined to groups, so that no row is doubled
    "features": f"""
        SELECT made.*, good.self_rank, good.self_z, called.name
        FROM ({{index}}) made LEFT JOIN
            (SELECT task, any_value(self_rank) AS self_rank, any_value(self_z) AS self_z FROM quality GROUP BY task) good
            USING (task) LEFT JOIN {FEATURE_NAMES} USING (feature, weights)""",
    "images": """
        SELECT task, feature, model, layer, channel, target, metric, seed, recipe,
            image, {folder} || image AS path, image_sha256, width, height
        FROM features WHERE image IS NOT NULL""",
    "tasks": f"""
        SELECT {TASK_COLUMNS}, recipe, status AS state, image, image_sha256, name FROM features
        UNION ALL
        SELECT {TASK_COLUMNS}, coalesce(f.recipe, p.recipe) AS recipe, 'failed', NULL, NULL, name
        FROM failures f LEFT JOIN (SELECT task, recipe FROM plan) p USING (task)
            LEFT JOIN {FEATURE_NAMES} USING (feature, weights)
        WHERE task NOT IN (SELECT task FROM features)
        UNION ALL
        SELECT {TASK_COLUMNS}, recipe, 'left', NULL, NULL, name
        FROM plan LEFT JOIN {FEATURE_NAMES} USING (feature, weights)
        WHERE task NOT IN (SELECT task FROM features) AND task NOT IN (SELECT task FROM failures)""",
    # each pair once: where either stands in the other's list, as the first of the two sees it
    "pairs": f"""
        SELECT src, dst, measure, score, baseline, mutual, {EXCESS}, scope, probe, {{src}}, {{dst}} FROM neighbors
        WHERE sign = 1 AND (src < dst OR NOT mutual)""",
    "neighbors_named": f"""
        SELECT n.*,
            {EXCESS},
            {{src}},
            {{dst}},
            shown.image AS dst_image,
            shown.name AS dst_name
        FROM neighbors n LEFT JOIN
            (SELECT feature, first(image ORDER BY {STANDS}) AS image, first(name ORDER BY {STANDS}) AS name FROM features
             WHERE status = 'ok' AND image IS NOT NULL GROUP BY feature) shown
            ON shown.feature = n.dst""",
}
VIEWS = (
    *("features", "images", "failures", "plan", "tasks", "responses", "neighbors", "pairs"),
    *("neighbors_named", "layers"),
    *("matches", "quality", "moments", "names", "clusters", "layout", "examples", "traces", "classes"),
)
SETTINGS = {
    "TimeZone": "'UTC'",
    "temp_directory": "''",  # a query that spills would write into the folder it is asked from
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "parquet_metadata_cache": "true",  # index files are never rewritten; a change of the others shows in their time
}
HEAD = """\
-- The views of this atlas for DuckDB, over the Parquet files in its folder. Nothing of atlas is needed:
--     duckdb -init {path}
-- or, in Python: import duckdb; duckdb.sql(open("{path}").read()); print(duckdb.sql("from features limit 5"))
-- Where the folder has been moved or copied, start DuckDB in it: cd {name} && duckdb -init atlas.sql
-- A kind of file that was not there when this was written is an empty view; the next `atlas similarity` writes it anew.
"""


def connect(paths: AtlasPaths) -> duckdb.DuckDBPyConnection:
    """Open an atlas: the views, and a connection that reaches no file outside it and whose settings are locked."""
    root = paths.root.resolve()
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    for name, value in SETTINGS.items():
        connection.execute(f"SET {name} = {value}")
    if is_remote(root):
        from atlas.query.bucket_files import BucketFiles  # it loads fsspec, which a folder does without

        connection.register_filesystem(BucketFiles(root.bucket))
    define(connection, root)
    # DuckDB checks both the glob, where [ * ? of the path are escaped, and each file that it finds
    connection.execute(f"SET allowed_directories = [{quoted(str(root))}, {quoted(escape(str(root)))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def define(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """(Re)define all views, so that those over a kind of file that was missing read it once there is one."""
    for text in definitions(root):
        connection.execute(text)


def definitions(root: Path, home: Path | None = None) -> Iterator[str]:
    """A CREATE statement for each view, after those of the views that it reads.

    `home` is the folder that paths of files begin with: the atlas's absolute path, or `HOME` for paths relative to it.
    """
    prefix = root if home is None else home
    folder = "" if prefix == HOME else f"{prefix}/"
    empty = empty_view_files(root)
    texts = {kind.view: kind.sql(root, prefix, kind not in empty) for kind in VIEW_FILES}
    words = {
        "index": texts.pop("index"),
        "folder": quoted(folder) if home != HOME else "getvariable('atlas_folder')",
        "src": _parts("src"),
        "dst": _parts("dst"),
    }
    for view, text in texts.items():
        yield f"CREATE OR REPLACE VIEW {view} AS {text}"
    for view, text in DERIVED.items():
        yield f"CREATE OR REPLACE VIEW {view} AS {text.strip().format(**words)}"


def empty_view_files(root: Path, kinds: Iterable[ViewFiles] = VIEW_FILES) -> list[ViewFiles]:
    """Those kinds of files that the atlas at `root` has none of; of an object store one call tells of most."""
    names = {path.name for path in root.iterdir()} if is_remote(root) else {kind.path for kind in VIEW_FILES}
    # some stores tell of folders whose last object is gone
    return [kind for kind in kinds if kind.path not in names or not kind.exists(root)]


def views_text(paths: AtlasPaths) -> str:
    """All views as one SQL text, for any DuckDB, started anywhere; in a copy of the atlas, from within its folder."""
    root = paths.root.resolve()
    head = HEAD.format(path=paths.sql.resolve(), name=root.name) + _where(root)
    return head + "".join(f"\n{text.replace(READ, READ_THERE)};\n" for text in definitions(root, HOME))


def _where(root: Path) -> str:
    """SQL that sets where the files lie: in the folder that DuckDB is started in, where that has this atlas's plans."""
    plans = sorted((root / "plans").glob("*.parquet"))
    here = f"FROM glob({quoted(f'plans/{escape(plans[0].name)}')})" if plans else ""
    there = {"atlas_folder": f"{root}/", "atlas_files": f"{escape(str(root))}/"}
    return "".join(
        f"\nSET VARIABLE {name} = (SELECT CASE WHEN count(*) > 0 THEN '' ELSE {quoted(folder)} END {here});\n"
        if here
        else f"\nSET VARIABLE {name} = {quoted(folder)};\n"
        for name, folder in there.items()
    )


def write_views(paths: AtlasPaths) -> Path:
    """Write `views_text` to atlas.sql."""
    write_bytes(paths.sql, views_text(paths).encode())
    return paths.sql


def _parts(side: str) -> str:
    """SQL that splits the address in column `side`: the model ends at the first `/`, the channel follows the last `:`."""
    model = f"split_part({side}, '/', 1)"
    channel = f"split_part({side}, ':', -1)"
    layer = f"{side}[length({model}) + 2 : length({side}) - length({channel}) - 1]"
    return f"{model} AS {side}_model, {layer} AS {side}_layer, {channel}::INTEGER AS {side}_channel"
