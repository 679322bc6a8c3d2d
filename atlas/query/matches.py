"""The best matches across two models, out of the table that similarity left."""

from typing import TYPE_CHECKING

import pyarrow as pa

from atlas.query.names import UnknownName, check, check_models
from atlas.query.tables_known import PROBE, command, probes
from atlas.query.view_files import quoted

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas

COLUMNS = "src, dst, score, baseline, excess, mutual, partner, partner_score"


def match(
    atlas: "Atlas", model_a: str, model_b: str, *, top: int | None = None, mutual: bool = False, probe: str = PROBE
) -> pa.Table:
    """For each live feature of `model_a` its best match anywhere in `model_b`, best first; empty before similarity ran.

    mutual: only pairs that are each other's best match. UnknownName for a model or probe that the atlas does not hold.
    """
    if model_a == model_b:
        check_models(atlas, model_a)
        raise UnknownName(f"{model_a!r} was named twice: name two different models")
    check(probe, probes(atlas), f"probe in {atlas.path}")
    kinds = {"model_a": model_a, "model_b": model_b, "probe": probe}
    where = " AND ".join([*(f"{name} = {quoted(value)}" for name, value in kinds.items()), *["mutual"] * mutual])
    limit = "" if top is None else f"LIMIT {top}"
    rows = atlas.sql(f"SELECT {COLUMNS} FROM matches WHERE {where} ORDER BY score DESC, src {limit}")
    if not rows.num_rows:
        check_models(atlas, model_a, model_b)
    return rows


def summary(rows: pa.Table) -> str:
    """All matches of two models in a line: what they come to, beside what rotated copies do."""
    means = {name: _mean(rows[name].to_pylist()) for name in ("score", "baseline", "excess", "mutual")}
    numbers = {name: "-" if mean is None else f"{mean:.3f}" for name, mean in means.items()}
    share = f"{means['mutual']:.0%}" if means["mutual"] is not None else "-"
    partners = rows.num_rows - rows["partner"].null_count
    return (
        f"{rows.num_rows:,} features: mean score {numbers['score']}, baseline {numbers['baseline']} (rotated copies), "
        f"excess {numbers['excess']}; {share} mutual; {partners:,} with a partner one to one"
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def why_unmatched(atlas: "Atlas", mutual: bool = False) -> str:
    """Why two models have no matches."""
    if not atlas.paths.matches.exists():
        return f"similarity has not been run yet: run `{command(atlas)}`"
    if mutual:
        return "no match is mutual"
    return f"these two models were not matched: run `{command(atlas)}` with both, and scope `other`"
