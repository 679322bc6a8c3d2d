"""The names that labelled pictures gave to features, read from the table that similarity wrote."""

from collections.abc import Iterator

import pyarrow as pa

from atlas.query.names import check, check_layer, check_models, condition, find_feature
from atlas.query.reader import Reader
from atlas.query.shell import job
from atlas.query.tables_known import PROBE, command, probes
from atlas.query.view_files import quoted
from atlas.query.views import NAMES_FIRST
from atlas.query.why_empty import without_image
from atlas.records import Address

NAME_COLUMNS = "feature, name, auc, p, runner_up"


def names(
    reader: Reader,
    feature: str | Address | None = None,
    *,
    model: str | None = None,
    layer: str | None = None,
    probe: str | None = None,
) -> pa.Table:
    """The name of each live feature: NAME_COLUMNS, in the order of layers and channels.

    feature, model, layer: only of these. probe: whose pictures gave the names; None: the only one, or of several the
    one that `default_probe` says. Empty before similarity ran with labelled pictures: `why_unnamed` says why.
    UnknownName, with the nearest names, for what the atlas does not hold.
    """
    where = list(_conditions(reader, feature, model, layer))
    if probe is None:
        probe = default_probe(reader)
    else:
        check(probe, sorted({*probes(reader), *_named_probes(reader)}), f"probe in {reader.path}")
    where.append(f"probe = {quoted(probe)}" if probe is not None else "false")
    return reader.sql(f"""
        SELECT {NAME_COLUMNS} FROM names n LEFT JOIN
            (SELECT model, layer, min(layer_index) AS place FROM tasks GROUP BY model, layer) USING (model, layer)
        WHERE {" AND ".join(where)} ORDER BY model, place, layer, channel""")


def default_probe(reader: Reader) -> str | None:
    """The probe whose names count: of photographs before drawings, then by name; None where no probe has labels."""
    return next(iter(_named_probes(reader)), None)


def why_unnamed(reader: Reader, feature: str | Address | None = None, probe: str | None = None) -> str:
    """Why there is no row, of a feature or of all, and what to type about it."""
    used = default_probe(reader) if probe is None else probe
    if used is None or used not in _named_probes(reader):
        patterns = job("similarity", reader.path, f"probe=[{PROBE},patterns]")
        folder = job("similarity", reader.path, f"probe=[{PROBE},natural]", "probes.natural.folder=DIR")
        told = "no pictures have labels" if used is None else f"the pictures of probe {used} have no labels"
        return f"{told}: run `{folder}` with a folder whose subfolders are labels, or `{patterns}`"
    if feature is None:
        return f"no feature of these was live on the pictures of probe {used}"
    address = find_feature(reader, feature)
    reason = without_image(reader, address)
    run = command(reader, used)
    return reason or f"{address} was made after similarity was last run, or does the same on every picture: run `{run}`"


def _named_probes(reader: Reader) -> list[str]:
    return reader.sql(f"SELECT DISTINCT probe FROM names ORDER BY {NAMES_FIRST}")["probe"].to_pylist()


def _conditions(reader: Reader, feature: str | Address | None, model: str | None, layer: str | None) -> Iterator[str]:
    """SQL that keeps what is asked for; UnknownName for what the atlas does not hold."""
    if feature is not None:
        yield condition(find_feature(reader, feature))
    if model is not None:
        check_models(reader, model)
        yield f"model = {quoted(model)}"
    if layer is not None:
        check_layer(reader, layer, model)
        yield f"layer = {quoted(layer)}"
