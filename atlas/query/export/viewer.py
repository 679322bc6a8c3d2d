"""Write an atlas for Apple's Embedding Atlas: one Parquet file, a row for each feature that has a place in the plane.

Its neighbors are `{"ids": [row numbers from 0], "distances": […]}` (packages/docs/tool.md of apple/embedding-atlas).
"""

from pathlib import Path

import pyarrow.parquet as pq

from atlas.query.export.embedded import schema_with_pictures, with_pictures
from atlas.query.guard import QueryError
from atlas.query.reader import Reader
from atlas.query.tables_known import PROBE, command, computed
from atlas.query.views import STANDS

WIDEST_FIRST = ("all", "model", "layer")
OPEN_COMMAND = "embedding-atlas features.parquet --x x --y y --neighbors neighbors"
README = """\
# {name}

{rows:,} features, each at its place in the plane, with its image and its nearest by `{measure}` in scope `{scope}`.

    {command}
"""
FEATURES_TEXT = """
    WITH shown AS (
        SELECT feature, unnest(first({{metric: metric, score: score, status: status, image: image}} ORDER BY {stands}))
        FROM features WHERE status = 'ok' AND image IS NOT NULL GROUP BY feature),
    placed AS (
        SELECT row_number() OVER (ORDER BY model, layer, channel) - 1 AS id, feature, model, layer, channel,
            metric, score, status, x, y, image
        FROM layout JOIN shown USING (feature) WHERE probe = '{probe}'),
    near AS (
        SELECT src, list(placed.id ORDER BY rank) AS ids, list(({distance})::DOUBLE ORDER BY rank) AS distances
        FROM neighbors n JOIN placed ON placed.feature = n.dst
        WHERE n.scope = '{scope}' AND n.measure = '{measure}' AND n.probe = '{probe}' AND n.sign = 1
        GROUP BY src)
    SELECT placed.* EXCLUDE (id, image),
        {{ids: coalesce(ids, []::BIGINT[]), distances: coalesce(distances, []::DOUBLE[])}} AS neighbors, image
    FROM placed LEFT JOIN near ON near.src = placed.feature ORDER BY id"""


def write(reader: Reader, folder: Path) -> str:
    """Write features.parquet and a README; returns a sentence on them. QueryError before similarity made a plane."""
    if not reader.sql(f"SELECT feature FROM layout WHERE probe = '{PROBE}' LIMIT 1").num_rows:
        raise QueryError(f"features have no place in the plane yet: run `{command(reader)}`")
    scope, measure = _shown_neighbors(computed(reader, PROBE))
    # a correlation becomes a distance; a score without an upper end has only its order, which is the rank
    distance = "1 - n.score" if measure == "profile" else "n.rank"
    text = FEATURES_TEXT.format(stands=STANDS, probe=PROBE, scope=scope, measure=measure, distance=distance)
    rows = 0
    schema = schema_with_pictures(reader, text)
    with pq.ParquetWriter(folder / "features.parquet", schema, compression="zstd") as writer:
        for batch in with_pictures(reader, text):
            writer.write_batch(batch)
            rows += batch.num_rows
    name = reader.manifest.get("name") or reader.path.name
    readme = README.format(name=name, rows=rows, measure=measure, scope=scope, command=OPEN_COMMAND)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    return f"{rows:,} features; open it with `{OPEN_COMMAND}`"


def _shown_neighbors(measures: dict[str, list[str]]) -> tuple[str, str]:
    """Scope and measure of the neighbors to show: profile in the widest scope that has it, else any measure."""
    tables = [(scope, "profile") for scope in WIDEST_FIRST if "profile" in measures.get(scope, ())]
    tables += [(scope, measure) for scope in WIDEST_FIRST for measure in measures.get(scope, ())]
    return tables[0] if tables else (WIDEST_FIRST[0], "profile")
