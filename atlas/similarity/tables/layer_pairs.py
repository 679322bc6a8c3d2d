"""How whole layers relate: linear CKA, mean best match and mutual share, each beside its rotated control."""

import numpy as np
import pyarrow as pa

from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.spans import LayerSpan
from atlas.store.similarity_tables import LAYERS


def layer_table(bank: Bank, results: BlockResults, probe: str) -> pa.Table:
    """LAYERS: one row for each ordered pair of layers that have live features."""
    pairs = _Pairs(bank, results)
    rows = [pairs.row(a, b) for a in pairs.inhabited for b in pairs.inhabited]
    return pa.Table.from_pylist([{"probe": probe, **row} for row in rows], schema=LAYERS)


def closest_layers(table: pa.Table, model_a: str, model_b: str) -> dict[str, str]:
    """For each layer of one model, the layer of the other with the highest CKA (Kornblith 2019)."""
    rows = [row for row in table.to_pylist() if (row["model_a"], row["model_b"]) == (model_a, model_b)]
    ordered = sorted(rows, key=lambda row: (row["cka"], row["layer_b"]))
    return {row["layer_a"]: row["layer_b"] for row in ordered}


class _Pairs:
    """The results of all blocks, looked at as pairs of layers; layers are named by number."""

    def __init__(self, bank: Bank, results: BlockResults) -> None:
        self.spans, self.results = bank.spans, results
        self.alive = [bank.facts(number).alive for number in range(len(bank.spans))]
        self.inhabited = [number for number, alive in enumerate(self.alive) if alive.any()]
        self.own = {number: self._sums(number, number)[0] for number in self.inhabited}
        # Best match of each feature of a in b, as a feature of the bank; -1 where it has none.
        self.match = {(a, b): results.layer(a, f"match.{b}.column") for a in self.inhabited for b in self.inhabited}

    def row(self, a: int, b: int) -> dict[str, object]:
        """The row of LAYERS of two layers, but for the probe."""
        plain, turned = self._sums(a, b)
        norm = np.sqrt(self.own[a] * self.own[b])
        return {
            **_names(self.spans[a], "a"),
            **_names(self.spans[b], "b"),
            "features_a": int(self.alive[a].sum()),
            "features_b": int(self.alive[b].sum()),
            "cka": plain / norm,
            "cka_baseline": turned / norm,
            "best_match": _mean(self.results.layer(a, f"match.{b}.score")),
            "best_match_baseline": _mean(self.results.layer(a, f"match.{b}.turned_score")),
            "mutual_share": self._mutual(a, b),
            "mutual_share_baseline": self._turned_mutual(a, b),
        }

    def _sums(self, a: int, b: int) -> np.ndarray:
        return np.sum(self.results.parts(a, f"cov.{b}"), axis=0)

    def _mutual(self, a: int, b: int) -> float | None:
        match = self.match[a, b]
        features = np.arange(self.spans[a].start, self.spans[a].stop)
        matched = match >= 0
        back = self.match[b, a][match[matched] - self.spans[b].start]
        return float((back == features[matched]).mean()) if matched.any() else None

    def _turned_mutual(self, a: int, b: int) -> float | None:
        match = self.results.layer(a, f"match.{b}.turned_column")
        scores = np.stack(self.results.parts(a, f"match.{b}.back_score"))
        rows = np.stack(self.results.parts(a, f"match.{b}.back_row"))
        back = np.take_along_axis(rows, scores.argmax(0)[None], 0)[0]
        features = np.arange(self.spans[a].start, self.spans[a].stop)
        matched = match >= 0
        return float((back[match[matched]] == features[matched]).mean()) if matched.any() else None


def _names(span: LayerSpan, side: str) -> dict[str, object]:
    return {f"model_{side}": span.model, f"layer_{side}": span.layer}


def _mean(scores: np.ndarray) -> float | None:
    finite = scores[np.isfinite(scores)]
    return float(finite.mean(dtype=np.float64)) if len(finite) else None
