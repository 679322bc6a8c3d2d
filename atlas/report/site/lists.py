"""data/lists/*.js: what is asked of the whole atlas at once, the first rows of each: closest pairs, matches, hubs.

Pairs of one layer, of two and of two networks are one list with one unit: profile, which all features have in common.
"""

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.encoding import Json, listed, numbers, value_of
from atlas.report.site.neighbors import Partners

MOST = 240  # rows of a list, of closest pairs of each kind
NEAREST = 10  # places in a list of neighbors that count as standing in it
ABOVE = "score > baseline"
# of an atlas that was compared in fewer scopes, the widest there is
WIDEST = "array_position(['layer', 'model', 'all'], scope)"
# MOST of each kind: one layer's, two layers', two networks'
PAIRS = f"""
    WITH close AS (
        SELECT src, dst, score, baseline, mutual, excess, scope FROM pairs
        WHERE probe = {quoted(PROBE)} AND measure = 'profile' AND {WIDEST} IS NOT NULL),
    widest AS (
        SELECT *, regexp_extract(src, '(?s)^(.*):', 1) AS a, regexp_extract(dst, '(?s)^(.*):', 1) AS b
        FROM close WHERE {ABOVE} AND {WIDEST} = (SELECT max({WIDEST}) FROM close))
    SELECT src, dst, score, baseline, mutual, scope FROM widest
    QUALIFY row_number() OVER (PARTITION BY a = b, split_part(a, '/', 1) = split_part(b, '/', 1)
        ORDER BY excess DESC, src, dst) <= {MOST}
    ORDER BY excess DESC, src, dst"""
MATCHES = f"""
    SELECT src, dst, score, baseline, mutual, 'other' AS scope FROM matches WHERE probe = {quoted(PROBE)} AND mutual
        AND model_a < model_b AND {ABOVE} ORDER BY excess DESC, src, dst LIMIT {MOST}"""
HUBS = f"""
    SELECT dst AS src, NULL::VARCHAR AS dst, count(*) AS score, NULL::FLOAT AS baseline, false AS mutual, scope FROM neighbors
    WHERE probe = {quoted(PROBE)} AND scope = 'model' AND measure = 'profile' AND sign = 1 AND rank <= {NEAREST}
    GROUP BY dst, scope HAVING count(*) > {NEAREST} ORDER BY score DESC, 1 LIMIT {MOST}"""
LISTS = {
    "pairs": PAIRS,
    "matches": MATCHES,
    "hubs": HUBS,
}


def read_list(atlas: Atlas, kind: str) -> Json:
    """One of LISTS: {layers, rows, scope, most}; a row is layer and channel of one feature and of another or -1, score,
    baseline, mutual. scope: in which they were compared; most: how many rows are kept.
    """
    rows, partners = atlas.sql(LISTS[kind]), Partners()
    sides = [part.tolist() for side in ("src", "dst") for part in partners.numbered(rows[side])]
    values = [listed(numbers(rows[name])) for name in ("score", "baseline")]
    columns = [*sides, *values, rows["mutual"].cast("int8").to_pylist()]
    scope = rows["scope"][0].as_py() if rows.num_rows else None
    listed_rows = list(map(list, zip(*columns, strict=True)))
    return {"layers": partners.layers, "rows": listed_rows, "scope": scope, "most": MOST}


def heading_of(data: bytes) -> Json:
    """What the overview says of a list as it is written: how many rows it has, and its first one with both layers by name."""
    value = value_of(data)
    rows, layers = value["rows"], value["layers"]
    if not rows:
        return {"count": 0}
    layer, channel, other_layer, other, score, baseline, _ = rows[0]
    sides = [[*layers[layer], channel], [*layers[other_layer], other] if other_layer >= 0 else None]
    return {"count": len(rows), "first": {"sides": sides, "score": score, "baseline": baseline}}
