"""The closest pairs of an atlas, read from the tables that similarity wrote: each pair once."""

import pyarrow as pa

from atlas.query.names import check, check_models
from atlas.query.neighbors import names_and_images
from atlas.query.reader import Reader
from atlas.query.tables_known import PROBE, command, computed, probes
from atlas.query.view_files import quoted
from atlas.records import MEASURES, SCOPES

# `excess`: how far the score goes beyond its baseline
PAIR_COLUMNS = "src, dst, measure, score, baseline, excess, mutual"


def pairs(
    reader: Reader,
    top: int,
    *,
    scope: str = "layer",
    measure: str | None = None,
    model: str | None = None,
    probe: str = PROBE,
) -> pa.Table:
    """The `top` pairs that go furthest beyond their baseline: PAIR_COLUMNS, `src_name`, `dst_name`. Empty before similarity ran.

    measure: None for `sym` within a layer and `profile` elsewhere; model: only pairs of which both, or in scope `other`
    either, are of it. UnknownName for what the atlas does not hold; ValueError for a `top` below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}: ask for 1 pair or more")
    check(scope, SCOPES, "scope")
    measure = usual_measure(scope, probe) if measure is None else measure
    check(measure, MEASURES, "measure")
    conditions = {"scope": scope, "measure": measure, "probe": probe}
    where = [f"{column} = {quoted(value)}" for column, value in conditions.items()]
    if model is not None:
        check_models(reader, model)
        mine = [f"starts_with({side}, {quoted(model + '/')})" for side in ("src", "dst")]
        where.append(f"({' OR '.join(mine)})")
    rows = reader.sql(
        f"SELECT {PAIR_COLUMNS} FROM pairs WHERE {' AND '.join(where)} ORDER BY excess DESC, src, dst LIMIT {top}"
    )
    if not rows.num_rows:
        check(probe, probes(reader), f"probe in {reader.path}")
    for side in ("src", "dst"):
        rows = rows.append_column(f"{side}_name", names_and_images(reader, rows[side].to_pylist())["name"])
    return rows


def usual_measure(scope: str, probe: str) -> str:
    """The measure that is meant where none is named: of a probe of pictures there is only `profile`."""
    return "sym" if scope == "layer" and probe == PROBE else "profile"


def why_no_pairs(reader: Reader, scope: str, measure: str | None, probe: str) -> str:
    """Why there is no pair, and what to type about it."""
    measure = usual_measure(scope, probe) if measure is None else measure
    there = computed(reader, probe)
    if not there:
        return f"features have not been compared by probe {probe} yet: run `{command(reader, probe)}`"
    if measure not in there.get(scope, ()):
        listed = "; ".join(f"{', '.join(names)} in scope {name}" for name, names in there.items())
        return f"there is no {measure} in scope {scope}; there is {listed}"
    return "no two features were compared there"
