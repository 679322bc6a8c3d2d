"""What similarity has been told and has left behind: similarity.json, and which tables there are."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

from atlas.records import MEASURES, SCOPES
from atlas.store.compared import read_compared

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
    return sorted({PROBE, *read_compared(atlas.paths), *(unquote(file.stem) for file in files)})


def freshness(atlas: "Atlas") -> str | None:
    """A sentence when the atlas holds features with an image that similarity has not seen."""
    seen = read_compared(atlas.paths).get(PROBE, {}).get("features")
    if not isinstance(seen, int):
        return None
    count = "SELECT count(DISTINCT feature) AS n FROM features WHERE status = 'ok' AND image IS NOT NULL"
    held = atlas.sql(count)["n"][0].as_py()
    if held <= seen:
        return None
    return f"similarity knows {seen:,} of {held:,} features; `{command(atlas)}` brings it up to date"


def command(atlas: "Atlas") -> str:
    """What to type for similarity to be found."""
    return f"atlas similarity out={atlas.path}"
