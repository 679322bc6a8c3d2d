"""How whole layers relate: linear CKA, mean best match and mutual share, each beside its rotated control."""

import numpy as np
import pyarrow as pa

from atlas.similarity.compare.bank import Bank, LayerSpan
from atlas.similarity.compare.block_results import BlockResults
from atlas.store.similarity_tables import LAYERS


def layer_table(bank: Bank, found: BlockResults, probe: str) -> pa.Table:
    """LAYERS: one row for each ordered pair of layers that have live features."""
    pairs = _Pairs(bank, found)
    rows = [pairs.row(a, b) for a in pairs.inhabited for b in pairs.inhabited]
    return pa.Table.from_pylist([{"probe": probe, **row} for row in rows], schema=LAYERS)


def closest_layers(table: pa.Table, model_a: str, model_b: str) -> dict[str, str]:
    """For each layer of one model, the layer of the other with the highest CKA (Kornblith 2019)."""
    rows = [row for row in table.to_pylist() if (row["model_a"], row["model_b"]) == (model_a, model_b)]
    ordered = sorted(rows, key=lambda row: (row["cka"], row["layer_b"]))
    return {row["layer_a"]: row["layer_b"] for row in ordered}


class _Pairs:
    """What the blocks found of each pair of layers."""

    def __init__(self, bank: Bank, found: BlockResults) -> None:
        self.panels, self.found = bank.panels, found
        self.alive = [bank.facts(number).alive for number in range(len(bank.panels))]
        self.inhabited = [number for number, alive in enumerate(self.alive) if alive.any()]
        self.own = {number: self._sums(number, number)[0] for number in self.inhabited}
        self.match = {
            (a, b): found.layer(a, f"match.{b}.column") for a in self.inhabited for b in self.inhabited
        }  # best match of each feature of a in b, as a feature of the bank

    def row(self, a: int, b: int) -> dict[str, object]:
        plain, turned = self._sums(a, b)
        norm = np.sqrt(self.own[a] * self.own[b])
        return {
            **_names(self.panels[a], "a"),
            **_names(self.panels[b], "b"),
            "features_a": int(self.alive[a].sum()),
            "features_b": int(self.alive[b].sum()),
            "cka": plain / norm,
            "cka_baseline": turned / norm,
            "best_match": _mean(self.found.layer(a, f"match.{b}.score")),
            "best_match_baseline": _mean(self.found.layer(a, f"match.{b}.turned_score")),
            "mutual_share": self._mutual(a, b),
            "mutual_share_baseline": self._turned_mutual(a, b),
        }

    def _sums(self, a: int, b: int) -> np.ndarray:
        return np.sum(self.found.parts(a, f"cov.{b}"), axis=0)

    def _mutual(self, a: int, b: int) -> float | None:
        chosen = self.match[a, b]
        me = np.arange(self.panels[a].start, self.panels[a].stop)
        has = chosen >= 0
        back = self.match[b, a][chosen[has] - self.panels[b].start]
        return float((back == me[has]).mean()) if has.any() else None

    def _turned_mutual(self, a: int, b: int) -> float | None:
        chosen = self.found.layer(a, f"match.{b}.turned_column")
        scores = np.stack(self.found.parts(a, f"match.{b}.back_score"))
        rows = np.stack(self.found.parts(a, f"match.{b}.back_row"))
        back = np.take_along_axis(rows, scores.argmax(0)[None], 0)[0]
        me = np.arange(self.panels[a].start, self.panels[a].stop)
        has = chosen >= 0
        return float((back[chosen[has]] == me[has]).mean()) if has.any() else None


def _names(panel: LayerSpan, side: str) -> dict[str, object]:
    return {f"model_{side}": panel.model, f"layer_{side}": panel.layer}


def _mean(scores: np.ndarray) -> float | None:
    found = scores[np.isfinite(scores)]
    return float(found.mean(dtype=np.float64)) if len(found) else None
