"""Every task of an atlas as the site needs it, one row each; of a feature's rows, the one that stands
for it is first.
"""

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.views import STANDS

# an image anywhere else counts as none: the site reads what is named here, and links to it
IMAGE = "CASE WHEN f.image LIKE 'images/%' AND NOT regexp_matches(f.image, '(^|/)\\.\\.(/|$)') THEN f.image END"
FOLDER = "regexp_extract(image, '(?s)^.*/')"  # of an image: folder, channel, suffix
TASK_ROWS = f"""
    WITH rows AS (
        SELECT t.model, t.layer, t.layer_index, t.channel, t.target, t.metric, t.seed, t.task, t.state, {IMAGE} AS image,
            t.name, coalesce(t.recipe, '') AS recipe, f.image_sha256, f.created, coalesce(f.weights, p.weights, '') AS weights,
            f.score, f.self_rank, f.self_z, x.error_type, x.error_message, x.attempts, x.created AS failed
        FROM tasks t
            LEFT JOIN features f ON f.task = t.task
            LEFT JOIN (SELECT task, any_value(weights) AS weights FROM plan GROUP BY task) p ON p.task = t.task
            LEFT JOIN failures x ON x.task = t.task AND t.state = 'failed')
    SELECT * EXCLUDE (failed),
        {FOLDER} AS folder,
        image[length({FOLDER}) + length(channel::VARCHAR) + 1 :] AS suffix,
        md5_number_lower(concat_ws(' ', task, state, created, image, image_sha256, failed, attempts)) AS mark
    FROM rows
    ORDER BY model, layer, channel,
        state <> 'ok' OR image IS NULL, state <> 'dead', state <> 'failed', {STANDS}"""


def read_tasks(atlas: Atlas) -> list[pa.Table]:
    """The rows of each layer, by channel: models by name, layers in order of execution."""
    layers = [part for model in runs(atlas.sql(TASK_ROWS), "model") for part in runs(model, "layer")]
    return sorted(layers, key=lambda rows: (rows["model"][0].as_py(), _first_index(rows), rows["layer"][0].as_py()))


def _first_index(rows: pa.Table) -> int:
    """The place of a layer in order of execution."""
    return int(np.nanmin(rows["layer_index"].to_numpy()))


def runs(table: pa.Table, column: str) -> list[pa.Table]:
    """The parts of a table in which a column, by which it is sorted, stays the same."""
    codes = table[column].combine_chunks().dictionary_encode().indices.to_numpy()
    ends = [*(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else []
    return [table.slice(start, stop - start) for start, stop in zip([0, *ends], ends, strict=False)]
