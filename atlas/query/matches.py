"""The best matches across two models, read from the table that similarity wrote."""

import pyarrow as pa

from atlas.query.names import UnknownName, check, check_models, model_names
from atlas.query.reader import Reader
from atlas.query.shell import reading
from atlas.query.tables_known import PROBE, command, probes
from atlas.query.view_files import quoted

MATCH_COLUMNS = "src, dst, score, baseline, excess, mutual, partner, partner_score"


def match(
    reader: Reader, model_a: str, model_b: str, *, top: int | None = None, mutual: bool = False, probe: str = PROBE
) -> pa.Table:
    """The best match in `model_b` of each live feature of `model_a`: MATCH_COLUMNS, best first.

    `mutual` keeps only pairs that are each other's best match. Empty before similarity ran: `why_unmatched` says why.
    UnknownName for a model or probe that the atlas does not hold, or one model named twice.
    """
    if model_a == model_b:
        _check_two(reader, model_a)
        raise UnknownName(f"{model_a!r} was named twice: name two different models")
    keys = {"model_a": model_a, "model_b": model_b, "probe": probe}
    where = " AND ".join([*(f"{column} = {quoted(name)}" for column, name in keys.items()), *["mutual"] * mutual])
    limit = "" if top is None else f"LIMIT {top}"
    rows = reader.sql(f"SELECT {MATCH_COLUMNS} FROM matches WHERE {where} ORDER BY score DESC, src {limit}")
    if not rows.num_rows:
        check(probe, probes(reader), f"probe in {reader.path}")
        _check_two(reader, model_a, model_b)
    return rows


def _check_two(reader: Reader, *models: str) -> None:
    """UnknownName for a model that the atlas does not hold, and where it holds no two."""
    held = model_names(reader)
    if len(held) == 1:
        within = reading("pairs", reader.path, "--scope", "model")
        raise UnknownName(
            f"a match is of two models, and {reader.path} holds {held[0]} alone; `{within}` has its own pairs"
        )
    check_models(reader, *models)


def summary(rows: pa.Table) -> str:
    """The means of a table of matches in one line, beside those of rotated copies."""
    means = {name: _mean(rows[name].to_pylist()) for name in ("score", "baseline", "excess", "mutual")}
    numbers = {name: "-" if mean is None else f"{mean:.3f}" for name, mean in means.items()}
    share = f"{means['mutual']:.0%}" if means["mutual"] is not None else "-"
    partners = rows.num_rows - rows["partner"].null_count
    return (
        f"{rows.num_rows:,} features: mean score {numbers['score']}, baseline {numbers['baseline']} (rotated copies), "
        f"excess {numbers['excess']}; {share} mutual; {partners:,} with a partner one to one"
    )


def why_unmatched(reader: Reader, mutual: bool = False) -> str:
    """Why two models have no matches, and what to type about it."""
    if not reader.paths.matches.exists():
        return f"similarity has not been run yet: run `{command(reader)}`"
    if mutual:
        return "no match is mutual"
    return f"these two models were not matched: run `{command(reader)}` with both, and scope `other`"


def _mean(values: list[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None
