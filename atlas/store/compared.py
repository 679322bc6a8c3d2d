"""similarity.json: what the tables of each probe were made from, so that nobody makes them twice, or trusts old ones."""

import json
from typing import Any

from atlas.store.files import write_json
from atlas.store.paths import AtlasPaths


def read_compared(paths: AtlasPaths) -> dict[str, dict[str, Any]]:
    """By probe; nothing when features were never compared, or the file cannot be read."""
    try:
        said = json.loads(paths.similarity.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {probe: told for probe, told in said.items() if isinstance(told, dict)} if isinstance(said, dict) else {}


def forget_compared(paths: AtlasPaths, probe: str) -> None:
    """What is said of a probe no longer holds: its tables are about to be replaced, one by one."""
    said = read_compared(paths)
    if said.pop(probe, None) is not None:
        write_json(paths.similarity, said)


def write_compared(paths: AtlasPaths, probe: str, told: dict[str, Any]) -> None:
    """Say of one probe what its tables are of; what is said of others stays."""
    write_json(paths.similarity, {**read_compared(paths), probe: told})
