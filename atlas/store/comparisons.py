"""similarity.json: what each probe's tables were made from, so that none is made twice or read when stale."""

from typing import Any

from atlas.store.files import read_json, write_json
from atlas.store.paths import AtlasPaths

# of the facts about a probe, those that readers rely on
TYPES = {"mark": str, "when": str, "probe": dict, "weights": dict, "features": int, "pictures": int, "files": list}
FEW = 100  # pictures: below, what two labels have in common by chance is as likely as a name


def pictures_in_words(count: int) -> str:
    """How many pictures a probe has, and where they are few, what they are good for."""
    return f"{count:,} picture{'s' * (count != 1)}" + (", enough to see, not to name" if count < FEW else "")


def read_comparisons(paths: AtlasPaths) -> dict[str, dict[str, Any]]:
    """Facts about the tables of each probe, by probe; none when features were never compared, or the file is broken."""
    try:
        content = read_json(paths.similarity)
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {probe: facts for probe, facts in content.items() if _are_facts(facts)}


def _are_facts(facts: Any) -> bool:
    """Facts of other types are none, and their tables are made again."""
    if not isinstance(facts, dict):
        return False
    typed = all(isinstance(facts[name], kind) for name, kind in TYPES.items() if name in facts)
    return typed and all(isinstance(file, str) for file in facts.get("files", ()))


def forget_comparison(paths: AtlasPaths, probe: str) -> None:
    """Remove a probe's facts: its tables are about to be replaced, one by one. OSError: the disk."""
    comparisons = read_comparisons(paths)
    if comparisons.pop(probe, None) is not None:
        write_json(paths.similarity, comparisons)


def write_comparison(paths: AtlasPaths, probe: str, facts: dict[str, Any]) -> None:
    """Record the facts about a probe's new tables; those of other probes stay. OSError: the disk."""
    write_json(paths.similarity, {**read_comparisons(paths), probe: facts})
