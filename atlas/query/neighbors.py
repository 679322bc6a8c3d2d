"""Neighbors of a feature, out of the tables that similarity left."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from atlas import records
from atlas.query.names import check, check_models, parse_address
from atlas.query.tables_known import PROBE, probes
from atlas.query.view_files import quoted
from atlas.query.views import STANDS
from atlas.query.why_empty import reason
from atlas.store.similarity_tables import BOTTOM, TOP

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas, Feature

COLUMNS = "rank, dst, score, score_rev, rank_rev, mutual, baseline, scope, measure, probe"


@dataclass(frozen=True)
class Question:
    """Which neighbors are wanted."""

    scope: str
    measure: str
    probe: str
    to: str | None  # only those in this model
    mutual: bool
    opposite: bool

    def where(self) -> str:
        """The table that is meant, as a condition that opens one file."""
        parts = {"scope": self.scope, "measure": self.measure, "probe": self.probe}
        kinds = [f"{name} = {quoted(value)}" for name, value in parts.items()]
        return " AND ".join([*kinds, f"sign = {BOTTOM if self.opposite else TOP}"])

    def only(self) -> str:
        """What else is asked of the rows of that table."""
        model = [f"starts_with(dst, {quoted(self.to + '/')})"] if self.to is not None else []
        return " AND ".join(["true", *model, *(["mutual"] if self.mutual else [])])


def similar(atlas: "Atlas", address: "str | records.Address | Feature", top: int = 10, **options: Any) -> pa.Table:
    """The `top` features that are most like one, or most opposite: COLUMNS and the path of an image of each.

    options: as `ask` takes them. The table is empty for a feature without neighbors: `why_empty` says why.
    UnknownName for what the atlas does not hold, ValueError for a `top` below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}: ask for 1 neighbor or more")
    name = parse_address(atlas, str(address))
    question = ask(atlas, name, **options)
    rows = _rows(atlas, name, question, top)
    if not rows.num_rows:
        atlas.feature(name)
        if question.to is not None:
            check_models(atlas, question.to)
    return rows.append_column("image", _images(atlas, rows["dst"].to_pylist()))


def ask(
    atlas: "Atlas",
    feature: records.Address,
    *,
    measure: str | None = None,
    scope: str | None = None,
    to: str | None = None,
    mutual: bool = False,
    opposite: bool = False,
    probe: str = PROBE,
) -> Question:
    """What is meant when not all is said; UnknownName for a measure, scope or probe that there is not.

    scope: `layer` (the default), `model`, `other` (each other model by itself: `top` of each), `all`.
    measure: `sym` within a layer, else `profile`, unless said. to: only those in this model. mutual: only those that
    have the feature in their own list.
    """
    if scope is None:
        scope = "layer" if to is None else "model" if to == feature.model else "other"
    if measure is None:
        measure = "sym" if scope == "layer" and probe == PROBE else "profile"
    check(scope, records.SCOPES, "scope")
    check(measure, records.MEASURES, "measure")
    check(probe, probes(atlas), f"probe in {atlas.path}")
    return Question(scope, measure, probe, to, mutual, opposite)


def why_empty(atlas: "Atlas", feature: "Feature", **options: Any) -> str | None:
    """Why `similar` finds nothing for a feature with the same options; None when it does find something."""
    question = ask(atlas, feature.name, **options)
    if _rows(atlas, feature.name, question, 1).num_rows:
        return None
    return reason(feature, question)


def _rows(atlas: "Atlas", name: records.Address, question: Question, top: int) -> pa.Table:
    rows = f"FROM neighbors WHERE src = {quoted(str(name))} AND {question.where()} AND {question.only()}"
    if question.scope != "other" or question.to is not None:
        return atlas.sql(f"SELECT {COLUMNS} {rows} ORDER BY rank, dst LIMIT {top}")
    each = "row_number() OVER (PARTITION BY split_part(dst, '/', 1) ORDER BY rank)"
    return atlas.sql(f"SELECT {COLUMNS} {rows} QUALIFY {each} <= {top} ORDER BY rank, dst")


def _images(atlas: "Atlas", addresses: list[str]) -> pa.ChunkedArray:
    """Of each feature the image that stands for it; only the folders of their layers are opened."""
    names = [records.Address.parse(address) for address in addresses]
    held = {"model": [one.model for one in names], "layer": [one.layer for one in names], "feature": addresses}
    # NULL, so that an empty list is a list too
    where = (f"{column} IN ({', '.join(['NULL', *map(quoted, sorted(set(some)))])})" for column, some in held.items())
    # ordered here: pa.array of a Python list would load pandas, where there is one, which takes longer than all else
    return atlas.sql(f"""
        SELECT image FROM
            (SELECT unnest([{", ".join(map(quoted, addresses))}]::VARCHAR[]) AS feature, unnest(range({len(names)})) AS place)
            LEFT JOIN
            (SELECT feature, first(image ORDER BY {STANDS}) AS image FROM features
             WHERE status = 'ok' AND image IS NOT NULL AND {" AND ".join(where)} GROUP BY feature)
            USING (feature)
        ORDER BY place""")["image"]
