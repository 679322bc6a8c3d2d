"""similarity.json: what each probe's tables were made from, so that none is made twice or read when stale."""

import json
from typing import Any

from atlas.store.files import write_json
from atlas.store.paths import AtlasPaths

FEW = 100  # pictures: below, what two labels have in common by chance is as likely as a name


def pictures_in_words(count: int) -> str:
    """How many pictures a probe has, and where they are few, what they are good for."""
    return f"{count:,} picture{'s' * (count != 1)}" + (", enough to see, not to name" if count < FEW else "")


def read_comparisons(paths: AtlasPaths) -> dict[str, dict[str, Any]]:
    """Facts about the tables of each probe, by probe; none when features were never compared, or the file is broken."""
    try:
        content = json.loads(paths.similarity.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {probe: facts for probe, facts in content.items() if isinstance(facts, dict)}


def forget_comparison(paths: AtlasPaths, probe: str) -> None:
    """Remove a probe's facts: its tables are about to be replaced, one by one. OSError: the disk."""
    comparisons = read_comparisons(paths)
    if comparisons.pop(probe, None) is not None:
        write_json(paths.similarity, comparisons)


def write_comparison(paths: AtlasPaths, probe: str, facts: dict[str, Any]) -> None:
    """Record the facts about a probe's new tables; those of other probes stay. OSError: the disk."""
    write_json(paths.similarity, {**read_comparisons(paths), probe: facts})
