"""The neighbors of a feature, read from the tables that similarity wrote, with an image of each."""

import pyarrow as pa

from atlas.query.names import check, check_models
from atlas.query.question import Question
from atlas.query.reader import Reader
from atlas.query.tables_known import probes
from atlas.query.view_files import quoted
from atlas.query.views import EXCESS, STANDS
from atlas.records import Address

# `excess`: how far the score goes beyond its baseline, in the direction of the list; at 0 or below, chance does as well
NEIGHBOR_COLUMNS = f"rank, dst, score, score_rev, rank_rev, mutual, baseline, {EXCESS}, scope, measure, probe"


def neighbors(reader: Reader, question: Question, top: int) -> pa.Table:
    """The first `top` rows that answer a question: NEIGHBOR_COLUMNS, and the `name` and `image` (a path) of each.

    In scope `other`, the first `top` of each other model. The table may be empty: `why_empty` says why.
    ValueError for a `top` below 1; UnknownName for a model or probe that the atlas does not hold.
    """
    if top < 1:
        raise ValueError(f"top is {top}: ask for 1 neighbor or more")
    rows = reader.sql(_text(question, top))
    if not rows.num_rows:
        check(question.probe, probes(reader), f"probe in {reader.path}")
        if question.to is not None:
            check_models(reader, question.to)
    columns = names_and_images(reader, rows["dst"].to_pylist())
    return rows.append_column("name", columns["name"]).append_column("image", columns["image"])


def beyond_chance(rows: pa.Table) -> str | None:
    """A sentence when some rows of an answer are not beyond their baseline; None: all are, or nobody knows."""
    excesses = [excess for excess in rows["excess"].to_pylist() if excess is not None]
    within = sum(excess <= 0 for excess in excesses)
    if not within:
        return None
    which = f"none of these {within} is" if within == rows.num_rows else f"{within} of these {rows.num_rows} are not"
    return f"{which} beyond the baseline: rotated copies of the layers, whose channels mean nothing, score as high"


def _text(question: Question, top: int) -> str:
    rows = f"SELECT {NEIGHBOR_COLUMNS} FROM neighbors WHERE {question.list_condition} AND {question.filter_condition}"
    if question.scope != "other" or question.to is not None:
        return f"{rows} ORDER BY rank, dst LIMIT {top}"
    position = "row_number() OVER (PARTITION BY split_part(dst, '/', 1) ORDER BY rank)"
    return f"{rows} QUALIFY {position} <= {top} ORDER BY rank, dst"


def names_and_images(reader: Reader, addresses: list[str]) -> pa.Table:
    """The name of each feature and the image that stands for it, in the given order; opens only their layers' folders."""
    features = [Address.parse(address) for address in addresses]
    columns = {
        "model": {feature.model for feature in features},
        "layer": {feature.layer for feature in features},
        "feature": set(addresses),
    }
    # NULL, so that an empty list is a list too
    among = (f"{name} IN ({', '.join(['NULL', *map(quoted, sorted(values))])})" for name, values in columns.items())
    # ordered by DuckDB: pa.array of a Python list would load pandas, if installed, which takes longer than all else
    return reader.sql(f"""
        SELECT name, image FROM
            (SELECT unnest([{", ".join(map(quoted, addresses))}]::VARCHAR[]) AS feature,
                unnest(range({len(addresses)})) AS position)
            LEFT JOIN
            (SELECT feature, first(name ORDER BY {STANDS}) AS name, first(image ORDER BY {STANDS}) AS image FROM features
             WHERE status = 'ok' AND image IS NOT NULL AND {" AND ".join(among)} GROUP BY feature)
            USING (feature)
        ORDER BY position""")
