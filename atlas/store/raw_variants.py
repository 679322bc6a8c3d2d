"""Which images of an atlas a model must be shown as they are: those made without its normalisation."""

import re
from typing import Any

from atlas.store.index import Row
from atlas.store.paths import VARIANT_ENDING


class RawVariants:
    """Which images were made without the model's normalisation (recipe `octaves`), as the manifest tells."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.variants: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for variant in manifest["variants"]:
            self.variants.setdefault((variant["model"], variant["metric"]), []).append(variant)

    def holds(self, row: Row) -> bool:
        variants = self.variants.get((row["model"], row["metric"]), [])
        ending = re.search(VARIANT_ENDING, row["image"])
        matching = [variant for variant in variants if ending is None or variant["variant"].startswith(ending[1])]
        return bool(matching) and matching[0]["settings"].get("space") == "raw"
