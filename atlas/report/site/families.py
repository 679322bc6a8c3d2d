"""What families are called: the name that most of their members have. A family is a number within a layer and a measure."""

from collections import Counter
from collections.abc import Mapping

from atlas.report.site.encoding import Json

SHARE = 0.5  # of its members that have the name, at least


def named_families(clusters: Json, names: Mapping[int, str]) -> Json:
    """Clusters by measure with the names of their families beside them; None for a family that has none."""
    return {measure: {**cluster, "names": _names(cluster, names)} for measure, cluster in clusters.items()}


def _names(cluster: Json, names: Mapping[int, str]) -> list[str | None]:
    members: dict[int, list[str | None]] = {}
    for channel, family in zip(cluster["order"], cluster["family"], strict=True):
        members.setdefault(family, []).append(names.get(channel))
    return [_common(members.get(family, [])) for family in range(max(members, default=-1) + 1)]


def _common(names: list[str | None]) -> str | None:
    """The name of most; one that a single member has says nothing of a family."""
    counts = Counter(filter(None, names)).most_common(1)
    return counts[0][0] if counts and counts[0][1] >= max(2, SHARE * len(names)) else None


def families_of(clusters: Json) -> list[list[object]]:
    """Of the families of a layer by its first measure: name, number of members, and the one in their middle."""
    if not clusters:
        return []
    cluster = next(iter(clusters.values()))
    members: dict[int, list[int]] = {}
    for channel, family in zip(cluster["order"], cluster["family"], strict=True):
        members.setdefault(family, []).append(channel)
    if len(members) < 2:
        return []
    return [[cluster["names"][family], len(some), some[len(some) // 2]] for family, some in sorted(members.items())]
