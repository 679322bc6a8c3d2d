"""Whose image drives a channel most, where that is not its own: the winners that images which lose lose to."""

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.report.site.encoding import numbers
from atlas.report.site.site_layer import SiteLayer


def read_winners(atlas: Atlas, layer: SiteLayer) -> dict[str, int]:
    """By channel that an image of another feature of its layer drives more than its own, that feature's channel.

    Of several the one whose image drives it most, of equal ones the first; none where responses are gone.
    """
    losing = np.unique(layer.rows["channel"].to_numpy()[numbers(layer.rows["self_rank"]) > 1]).tolist()
    if not losing:
        return {}
    # 1-based, as lists of DuckDB are; the vectors stay in the query, which gives one row for each channel
    places = [channel + 1 for channel in losing]
    prefix = quoted(f"{layer.model}/{layer.name}:")
    rows = atlas.sql(f"""
        WITH responses_of AS (
            SELECT try_cast(replace(feature, {prefix}, '') AS INTEGER) AS made_for,
                unnest({places}) - 1 AS channel, unnest(list_select(mean, {places})) AS response
            FROM responses WHERE probe = {quoted(PROBE)} AND {layer.where} AND starts_with(feature, {prefix}))
        SELECT channel, arg_max(made_for, {{'response': response, 'first': -made_for}}) AS winner FROM responses_of
        WHERE made_for IS NOT NULL AND made_for <> channel AND isfinite(response) GROUP BY channel ORDER BY channel""")
    return {str(row["channel"]): row["winner"] for row in rows.to_pylist()}
