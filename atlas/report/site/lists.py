"""data/lists/*.js: what is asked of the whole atlas at once, the first rows of each: closest pairs, matches, hubs.

Pairs of one layer, of two and of two networks are one list with one unit: profile, which all features have in common.
"""

import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.encoding import Json, listed, numbers, value_of
from atlas.report.site.neighbors import Partners

MOST = 240  # rows of a list, of closest pairs of each kind
NEAREST = 10  # places in a list of neighbors that count as standing in it
WIDEST = ("all", "model", "layer")  # scopes: of an atlas that was compared in fewer, the widest there is
FIRST = f"ORDER BY excess DESC, src, dst LIMIT {MOST}"
# where the two of a pair stand, by the word of a route
APART = {
    "layer": "src_model = dst_model AND src_layer = dst_layer",
    "layers": "src_model = dst_model AND src_layer <> dst_layer",
    "networks": "src_model <> dst_model",
}
PAIRS = f"""
    SELECT src, dst, score, baseline, excess, mutual FROM pairs
    WHERE probe = {quoted(PROBE)} AND measure = 'profile' AND scope = '{{scope}}' AND score > baseline"""
# MOST of each kind: one layer's, two layers', two networks'
ANY_PAIRS = f"""
    {PAIRS} QUALIFY row_number() OVER (PARTITION BY src_model = dst_model, src_model = dst_model AND src_layer = dst_layer
        ORDER BY excess DESC, src, dst) <= {MOST}
    ORDER BY excess DESC, src, dst"""
MATCHES = f"""
    SELECT src, dst, score, baseline, excess, mutual FROM matches
    WHERE probe = {quoted(PROBE)} AND mutual AND model_a < model_b AND score > baseline {FIRST}"""
HUBS = f"""
    SELECT dst AS src, count(*) AS score FROM neighbors
    WHERE probe = {quoted(PROBE)} AND scope = 'model' AND measure = 'profile' AND sign = 1 AND rank <= {NEAREST}
    GROUP BY dst HAVING count(*) > {NEAREST} ORDER BY score DESC, src LIMIT {MOST}"""
# by list, and by what of it is shown: the first text asks for all
LISTS = {
    "pairs": {"": ANY_PAIRS} | {apart: f"{PAIRS} AND {condition} {FIRST}" for apart, condition in APART.items()},
    "matches": {"": MATCHES},
    "hubs": {"": HUBS},
}


def read_list(atlas: Atlas, kind: str) -> Json:
    """One of LISTS: {layers, rows, sql, most}; a row is layer and channel of one feature and of another or -1, score,
    baseline, mutual. sql: what asks for all of them, and for those of each kind; most: how many rows are kept.
    """
    scope = _widest_scope(atlas)
    texts = {only: " ".join(text.format(scope=scope).split()) for only, text in LISTS[kind].items()}
    rows, partners = atlas.sql(texts[""]), Partners()
    for name, kind_of in (("dst", pa.string()), ("baseline", pa.float32()), ("mutual", pa.bool_())):
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, kind_of))
    sides = [part.tolist() for side in ("src", "dst") for part in partners.numbered(rows[side])]
    values = [listed(numbers(rows[name])) for name in ("score", "baseline")]
    columns = [*sides, *values, rows["mutual"].cast("int8").to_pylist()]
    listed_rows = list(map(list, zip(*columns, strict=True)))
    return {"layers": partners.layers, "rows": listed_rows, "sql": texts, "most": MOST}


def _widest_scope(atlas: Atlas) -> str:
    """The widest scope in which features were compared by profile; before that, any."""
    text = f"SELECT DISTINCT scope FROM neighbors WHERE probe = {quoted(PROBE)} AND measure = 'profile'"
    scopes = atlas.sql(text)["scope"].to_pylist()
    return next((scope for scope in WIDEST if scope in scopes), WIDEST[0])


def heading_of(data: bytes) -> Json:
    """What the overview says of a list as it is written: how many rows it has, and its first one with both layers by name."""
    value = value_of(data)
    rows, layers = value["rows"], value["layers"]
    if not rows:
        return {"count": 0}
    layer, channel, other_layer, other, score, baseline, _ = rows[0]
    sides = [[*layers[layer], channel], [*layers[other_layer], other] if other_layer >= 0 else None]
    return {"count": len(rows), "first": {"sides": sides, "score": score, "baseline": baseline}}
