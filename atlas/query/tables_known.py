"""Which tables similarity has left in an atlas, whether they still fit its images, and what to type to make them."""

from typing import Any
from urllib.parse import unquote

from atlas.config.quoting import quoted
from atlas.query.reader import Reader
from atlas.query.shell import Note, job, sentence
from atlas.records import MEASURES, SCOPES
from atlas.store.comparisons import read_comparisons

PROBE = "atlas"  # the name of the probe that is the images of the atlas itself


def computed(reader: Reader, probe: str) -> dict[str, list[str]]:
    """The measures that there are neighbor tables of, by scope."""
    measures = {
        scope: [measure for measure in MEASURES if reader.paths.neighbor_table(scope, measure, probe).is_file()]
        for scope in SCOPES
    }
    return {scope: names for scope, names in measures.items() if names}


def probes(reader: Reader) -> list[str]:
    """The probes (sets of pictures) that neighbors were found with; the atlas's own is always among them."""
    files = reader.paths.neighbors.glob("scope=*/measure=*/[!.]*.parquet")
    return sorted({PROBE, *read_comparisons(reader.paths), *(unquote(file.stem) for file in files)})


def comparison_record(reader: Reader, probe: str) -> dict[str, Any]:
    """What similarity.json says of a probe: what was compared, when, and how much was kept; empty when nothing."""
    return read_comparisons(reader.paths).get(probe, {})


def freshness(reader: Reader, probe: str = PROBE) -> str | None:
    """A sentence when the atlas has more features, or other weights, than a probe's tables were made from."""
    return sentence(overtaken(reader, probe)) or None


def overtaken(reader: Reader, probe: str = PROBE) -> Note:
    """The same as a note, whose commands stand apart from its text; empty when the tables fit."""
    record = comparison_record(reader, probe)
    if not isinstance(record.get("features"), int):
        return []
    rows = reader.sql("""
        SELECT model, arg_max(weights, created) AS weights, count(DISTINCT feature) AS features
        FROM features WHERE status = 'ok' AND image IS NOT NULL GROUP BY model ORDER BY model""").to_pylist()
    compared = record.get("weights", {})
    changed = [row["model"] for row in rows if compared.get(row["model"], row["weights"]) != row["weights"]]
    if changed:
        models = ", ".join(changed)
        text = f"the newest images of {models} are of other weights than those compared; see "
        return [text, command(reader, probe)]
    count = sum(row["features"] for row in rows)
    if count <= record["features"]:
        return []
    text = f"similarity knows {record['features']:,} of {count:,} features; "
    return [text, command(reader, probe), " brings it up to date"]


def command(reader: Reader, probe: str = PROBE) -> str:
    """What to type to have similarity computed with a probe."""
    if probe == PROBE:
        return job("similarity", reader.path)
    folder = comparison_record(reader, probe).get("probe", {}).get("folder")
    overrides = [f"probes.{probe}.folder={quoted(str(folder or 'DIR'))}"] if folder or probe == "natural" else []
    return job("similarity", reader.path, f"probe=[{PROBE},{quoted(probe)}]", *overrides)
