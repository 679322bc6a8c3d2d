"""What the page of a layer shows of all its channels at once: states, scores, families, matches, failures."""

from typing import Any

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.neighbors import MEASURES, address_range
from atlas.report.site.numbers import counted, listed, numbers
from atlas.report.site.partners import Partners
from atlas.report.site.script import Json
from atlas.report.site.site_layer import LETTERS, NOTHING, STATES, SiteLayer


def grid(atlas: Atlas, layer: SiteLayer, clusters: Json) -> Json:
    return {
        "sets": [_set(layer, rows) for rows in layer.chosen],
        "clusters": clusters,
        "matches": matches(atlas, layer),
        "failures": failures(layer),
    }


def _set(layer: SiteLayer, rows: np.ndarray) -> Json:
    letters = [*(LETTERS[state] for state in STATES), NOTHING]
    codes = np.where(rows < 0, len(STATES), layer.states[rows])
    score, rank, z = (
        np.where(rows < 0, np.nan, numbers(layer.rows[name])[rows]) for name in ("score", "self_rank", "self_z")
    )
    state = "".join(letters[code] for code in codes)
    return {"state": state, "score": listed(score), "rank": counted(rank), "z": listed(z)}


def read_clusters(atlas: Atlas) -> dict[tuple[str, str], Json]:
    """By model and layer, then by measure: channels in clustered order, and their families."""
    rows = atlas.sql(f"""
        SELECT model, layer, measure, list(channel ORDER BY place) AS "order", list(family ORDER BY place) AS family
        FROM clusters WHERE probe = {quoted(PROBE)} AND measure IN {MEASURES}
        GROUP BY ALL ORDER BY measure DESC""").to_pylist()
    found: dict[tuple[str, str], Json] = {}
    for row in rows:
        told = {"order": row["order"], "family": row["family"]}
        found.setdefault((row["model"], row["layer"]), {})[row["measure"]] = told
    return found


def matches(atlas: Atlas, layer: SiteLayer) -> Json:
    """By other model, of each position the feature that is most like it there."""
    rows = atlas.sql(f"""
        SELECT model_b, {address_range(layer).channel} AS channel, dst, score, baseline, mutual, partner, partner_score
        FROM matches WHERE probe = {quoted(PROBE)} AND model_a = {quoted(layer.model)}
            AND {address_range(layer).condition} ORDER BY model_b, channel""")
    models = rows["model_b"].unique().to_pylist()
    return {model: _matches(layer, rows.filter(pa.compute.equal(rows["model_b"], model))) for model in models}  # type: ignore[attr-defined]


def _matches(layer: SiteLayer, rows: pa.Table) -> Json:
    partners = Partners()
    best, one_to_one = partners.places(rows["dst"]), partners.places(rows["partner"])
    columns = [*best, listed(numbers(rows["score"])), listed(numbers(rows["baseline"]))]
    columns += [rows["mutual"].cast(pa.int8()).to_pylist(), *one_to_one, listed(numbers(rows["partner_score"]))]
    found = dict(zip(rows["channel"].to_pylist(), zip(*columns, strict=True), strict=True))
    named = [name for _, name in partners.layers]
    return {"layers": named, "rows": [found.get(channel) for channel in layer.channels.tolist()]}


def failures(layer: SiteLayer) -> list[list[Any]]:
    """Channel, set, kind of error, the last line of its message, attempts."""
    mine = np.flatnonzero(layer.states == STATES.index("failed"))
    columns = ["channel", "error_type", "error_message", "attempts"]
    rows = layer.rows.select(columns).take(mine).to_pylist()
    return [
        [row["channel"], number, row["error_type"], _last_line(row["error_message"]), row["attempts"]]
        for row, number in zip(rows, layer.set_of[mine].tolist(), strict=True)
    ]


def _last_line(message: str | None) -> str:
    return ((message or "").strip().splitlines() or [""])[-1].strip()
