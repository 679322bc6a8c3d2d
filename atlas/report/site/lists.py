"""data/lists/*.js: what is asked of the whole atlas at once, the first rows of each: closest pairs, matches, hubs."""

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.encoding import Json, listed, numbers, value_of
from atlas.report.site.neighbors import Partners

MOST = 240  # rows of a list
NEAREST = 10  # places in a list of neighbors that count as standing in it
ABOVE = "score > baseline"
PAIRS = f"""
    SELECT src, dst, score, baseline, mutual FROM pairs WHERE probe = {quoted(PROBE)} AND scope = '{{scope}}'
        AND measure = '{{measure}}' AND {ABOVE} {{where}} ORDER BY score - baseline DESC, src, dst LIMIT {MOST}"""
ELSEWHERE = "AND regexp_extract(src, '(?s)^(.*):', 1) <> regexp_extract(dst, '(?s)^(.*):', 1)"
MATCHES = f"""
    SELECT src, dst, score, baseline, mutual FROM matches WHERE probe = {quoted(PROBE)} AND mutual AND model_a < model_b
        AND {ABOVE} ORDER BY excess DESC, src, dst LIMIT {MOST}"""
HUBS = f"""
    SELECT dst AS src, NULL::VARCHAR AS dst, count(*) AS score, NULL::FLOAT AS baseline, false AS mutual FROM neighbors
    WHERE probe = {quoted(PROBE)} AND scope = 'model' AND measure = 'profile' AND sign = 1 AND rank <= {NEAREST}
    GROUP BY 1 HAVING count(*) > {NEAREST} ORDER BY score DESC, 1 LIMIT {MOST}"""
LISTS = {
    "pairs": PAIRS.format(scope="layer", measure="sym", where=""),
    "pairs-across": PAIRS.format(scope="model", measure="profile", where=ELSEWHERE),
    "matches": MATCHES,
    "hubs": HUBS,
}


def read_list(atlas: Atlas, kind: str) -> Json:
    """One of LISTS: {layers, rows}; a row is layer and channel of one feature and of another or -1, score, baseline, mutual."""
    rows, partners = atlas.sql(LISTS[kind]), Partners()
    sides = [part.tolist() for side in ("src", "dst") for part in partners.numbered(rows[side])]
    values = [listed(numbers(rows[name])) for name in ("score", "baseline")]
    columns = [*sides, *values, rows["mutual"].cast("int8").to_pylist()]
    return {"layers": partners.layers, "rows": list(map(list, zip(*columns, strict=True)))}


def row_count(data: bytes) -> int:
    """How many rows a list has, as it is written."""
    return len(value_of(data)["rows"])
