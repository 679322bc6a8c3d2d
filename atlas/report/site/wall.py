"""What the page of a layer shows of all its channels at once: states, scores, families, matches, winners, failures."""

from typing import Any

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.encoding import Json, counted, listed, numbers
from atlas.report.site.neighbors import MEASURES, Partners, address_range
from atlas.report.site.site_layer import LETTERS, NOTHING, STATES, SiteLayer
from atlas.report.site.winners import read_winners


def wall(atlas: Atlas, layer: SiteLayer, clusters: Json) -> Json:
    """The value of a layer's layer.js; clusters by measure, as `read_clusters` gives them."""
    return {
        "sets": [_set(layer, rows) for rows in layer.chosen],
        "clusters": clusters,
        "matches": matches(atlas, layer),
        "winners": read_winners(atlas, layer),
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
    """By model and layer, then by measure, the channels in clustered order and their families."""
    rows = atlas.sql(f"""
        SELECT model, layer, measure, list(channel ORDER BY place) AS "order", list(family ORDER BY place) AS family
        FROM clusters WHERE probe = {quoted(PROBE)} AND measure IN {MEASURES}
        GROUP BY ALL ORDER BY measure DESC""").to_pylist()
    clusters: dict[tuple[str, str], Json] = {}
    for row in rows:
        cluster = {"order": row["order"], "family": row["family"]}
        clusters.setdefault((row["model"], row["layer"]), {})[row["measure"]] = cluster
    return clusters


def matches(atlas: Atlas, layer: SiteLayer) -> Json:
    """By other model, for each position the feature there that is most like it."""
    rows = atlas.sql(f"""
        SELECT model_b, {address_range(layer).channel} AS channel, dst, score, baseline, mutual, partner, partner_score
        FROM matches WHERE probe = {quoted(PROBE)} AND model_a = {quoted(layer.model)}
            AND {address_range(layer).condition} ORDER BY model_b, channel""")
    models = rows["model_b"].unique().to_pylist()
    return {model: _matches(layer, rows.filter(pa.compute.equal(rows["model_b"], model))) for model in models}  # type: ignore[attr-defined]


def _matches(layer: SiteLayer, rows: pa.Table) -> Json:
    partners = Partners()
    best, one_to_one = ([part.tolist() for part in partners.numbered(rows[name])] for name in ("dst", "partner"))
    columns = [*best, listed(numbers(rows["score"])), listed(numbers(rows["baseline"]))]
    columns += [
        rows["mutual"].cast(pa.int8()).to_pylist(),
        *one_to_one,
        listed(numbers(rows["partner_score"])),
    ]
    by_channel = dict(zip(rows["channel"].to_pylist(), zip(*columns, strict=True), strict=True))
    names = [name for _, name in partners.layers]
    return {"layers": names, "rows": [by_channel.get(channel) for channel in layer.channels.tolist()]}


def failures(layer: SiteLayer) -> list[list[Any]]:
    """A row for each failed task: channel, set, kind of error, its message, attempts."""
    failed = np.flatnonzero(layer.states == STATES.index("failed"))
    columns = ["channel", "error_type", "error_message", "attempts"]
    rows = layer.rows.select(columns).take(failed).to_pylist()
    return [
        [row["channel"], number, row["error_type"], row["error_message"] or "", row["attempts"]]
        for row, number in zip(rows, layer.set_of[failed].tolist(), strict=True)
    ]
