"""What similarity has been told and has left behind: similarity.json, and which tables there are."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

from atlas.query.shell import Note, job, sentence, value
from atlas.records import MEASURES, SCOPES
from atlas.store.comparisons import read_comparisons

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas

PROBE = "atlas"  # the pictures of the atlas itself


def computed(atlas: "Atlas", probe: str) -> dict[str, list[str]]:
    """Measures by scope, of the neighbor tables that lie there."""
    found: dict[str, list[str]] = {}
    for scope in SCOPES:
        measures = [name for name in MEASURES if atlas.paths.neighbor_table(scope, name, probe).is_file()]
        if measures:
            found[scope] = measures
    return found


def probes(atlas: "Atlas") -> list[str]:
    """Sets of pictures that neighbors were found with; the atlas's own is always one to ask for."""
    files = atlas.paths.neighbors.glob("scope=*/measure=*/[!.]*.parquet")
    return sorted({PROBE, *read_comparisons(atlas.paths), *(unquote(file.stem) for file in files)})


def freshness(atlas: "Atlas", probe: str = PROBE) -> str | None:
    """A sentence when a probe's tables are not of all that the atlas holds: more features, or other weights."""
    return sentence(overtaken(atlas, probe)) or None


def overtaken(atlas: "Atlas", probe: str = PROBE) -> Note:
    """The same as a note; empty when there is nothing to say."""
    told = read_comparisons(atlas.paths).get(probe, {})
    if not isinstance(told.get("features"), int):
        return []
    held = atlas.sql("""
        SELECT model, arg_max(weights, created) AS weights, count(DISTINCT feature) AS n
        FROM features WHERE status = 'ok' AND image IS NOT NULL GROUP BY model ORDER BY model""").to_pylist()
    known = told.get("weights", {})
    other = [row["model"] for row in held if known.get(row["model"], row["weights"]) != row["weights"]]
    if other:
        names = ", ".join(other)
        return [f"the newest images of {names} are of other weights than those compared; see ", command(atlas, probe)]
    count = sum(row["n"] for row in held)
    if count <= told["features"]:
        return []
    few = f"similarity knows {told['features']:,} of {count:,} features; "
    return [few, command(atlas, probe), " brings it up to date"]


def command(atlas: "Atlas", probe: str = PROBE) -> str:
    """What to type for similarity to be found by a probe."""
    if probe == PROBE:
        return job("similarity", atlas.path)
    folder = read_comparisons(atlas.paths).get(probe, {}).get("probe", {}).get("folder")
    where = [f"probes.{probe}.folder={value(str(folder or 'DIR'))}"] if folder or probe == "natural" else []
    return job("similarity", atlas.path, f"probe=[{PROBE},{value(probe)}]", *where)
