"""An atlas for Apple's Embedding Atlas: one Parquet file, a row for each feature that has a place in the plane.

Its neighbors are `{"ids": [row numbers from 0], "distances": […]}` (packages/docs/tool.md of apple/embedding-atlas).
"""

from pathlib import Path

import pyarrow.parquet as pq

from atlas.query.atlas import Atlas
from atlas.query.export.embedded import schema_of, with_pictures
from atlas.query.guard import QueryError
from atlas.query.tables_known import PROBE, command, computed
from atlas.query.views import STANDS

SCOPES = ("all", "model", "layer")  # the widest that there is
COMMAND = "embedding-atlas features.parquet --x x --y y --neighbors neighbors"
README = """\
# {name}

{rows:,} features, each at its place in the plane, with its image and its nearest by `{measure}` in scope `{scope}`.

    {command}
"""
ROWS = """
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


def write(atlas: Atlas, folder: Path) -> str:
    """Write features.parquet and how to open it; QueryError when similarity has not placed the features yet."""
    if not atlas.sql(f"SELECT feature FROM layout WHERE probe = '{PROBE}' LIMIT 1").num_rows:
        raise QueryError(f"features have no place in the plane yet: run `{command(atlas)}`")
    scope, measure = _widest(computed(atlas, PROBE))
    # a correlation is a distance from 1; of what has no upper end only the order is one
    distance = "1 - n.score" if measure == "profile" else "n.rank"
    text = ROWS.format(stands=STANDS, probe=PROBE, scope=scope, measure=measure, distance=distance)
    rows = 0
    with pq.ParquetWriter(folder / "features.parquet", schema_of(atlas, text), compression="zstd") as writer:
        for batch in with_pictures(atlas, text):
            writer.write_batch(batch)
            rows += batch.num_rows
    known = {"name": atlas.manifest.get("name") or atlas.path.name, "rows": rows, "measure": measure, "scope": scope}
    (folder / "README.md").write_text(README.format(**known, command=COMMAND), encoding="utf-8")
    return f"{rows:,} features; open it with `{COMMAND}`"


def _widest(held: dict[str, list[str]]) -> tuple[str, str]:
    """Scope and measure of the neighbors that are shown: profile across as many layers as were compared."""
    found = [(scope, "profile") for scope in SCOPES if "profile" in held.get(scope, ())]
    found += [(scope, measure) for scope in SCOPES for measure in held.get(scope, ())]
    return found[0] if found else (SCOPES[0], "profile")
