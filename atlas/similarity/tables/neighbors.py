"""Makes neighbor tables from the results of all blocks: addresses, reverse ranks, and who is mutual."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.store.similarity_tables import BOTTOM, NEIGHBORS, TOP


@dataclass(frozen=True)
class ScopeLists:
    """The lists of all features of a bank in one scope, measure and sign; against one model in scope `other`."""

    sign: int
    score: np.ndarray  # (features, k), NaN where a list has ended
    column: np.ndarray  # (features, k) features of the bank, -1 where a list has ended
    back: np.ndarray  # (features, k) scores the other way
    turned: np.ndarray  # (features, k) scores of the same rank in the rotated copies

    @property
    def there(self) -> np.ndarray:
        """(features, k): where a list has not ended."""
        return self.column >= 0


def read_lists(results: BlockResults, scope: str, measure: str, sign: int, other: str = "") -> ScopeLists | None:
    """Put the blocks' lists together; None where they were not made. other: the other model of scope `other`."""
    name = f"{scope}.{other}.{measure}.{sign}"
    arrays = [results.whole(f"{name}.{part}") for part in ("score", "column", "back", "turned")]
    present = [array for array in arrays if array is not None]
    return ScopeLists(sign, *present) if len(present) == len(arrays) else None


def neighbor_table(bank: Bank, results: BlockResults, scope: str, measure: str, *, probe: str) -> pa.Table | None:
    """NEIGHBORS of one scope and measure, sorted by src; None when nothing was compared."""
    others = sorted({span.model for span in bank.spans}) if scope == "other" else [""]
    ranked: list[tuple[ScopeLists, np.ndarray]] = []
    for sign in (TOP, BOTTOM):
        lists = {other: read_lists(results, scope, measure, sign, other) for other in others}
        present = {other: scope_lists for other, scope_lists in lists.items() if scope_lists is not None}
        ranked += [(scope_lists, _reverse_ranks(bank, scope_lists, present)) for scope_lists in present.values()]
    if not ranked:
        return None
    return _table(bank, ranked, probe)


def _reverse_ranks(bank: Bank, forward: ScopeLists, lists: dict[str, ScopeLists]) -> Int[np.ndarray, "features k"]:
    """Each source's rank in the list of its neighbor; 0 where it does not stand there."""
    ranks = np.zeros(forward.column.shape, np.int32)
    for span in bank.spans:
        back = lists.get(span.model if "" not in lists else "")
        if back is None:
            continue
        column = forward.column[span.features]
        sources = np.arange(span.start, span.stop)[:, None, None]
        hits = (back.column[column] == sources) & (column >= 0)[:, :, None]
        ranks[span.features] = np.where(hits.any(2), hits.argmax(2) + 1, 0)
    return ranks


def _table(bank: Bank, ranked: list[tuple[ScopeLists, np.ndarray]], probe: str) -> pa.Table:
    there = np.concatenate([lists.there for lists, _ in ranked], axis=1)

    def flat(*parts: np.ndarray) -> np.ndarray:
        return np.concatenate(parts, axis=1)[there]

    def every(value: np.ndarray, lists: ScopeLists) -> np.ndarray:
        return np.broadcast_to(value, lists.score.shape)

    columns = {
        "src": flat(*(every(np.arange(len(bank.addresses))[:, None], lists) for lists, _ in ranked)),
        "dst": flat(*(lists.column for lists, _ in ranked)),
        "sign": flat(*(every(np.array(lists.sign), lists) for lists, _ in ranked)),
        "rank": flat(*(every(np.arange(1, lists.score.shape[1] + 1), lists) for lists, _ in ranked)),
        "score": flat(*(lists.score for lists, _ in ranked)),
        "score_rev": flat(*(lists.back for lists, _ in ranked)),
        "rank_rev": flat(*(ranks for _, ranks in ranked)),
        "baseline": flat(*(lists.turned for lists, _ in ranked)),
    }
    return _typed(bank, columns, probe)


def _typed(bank: Bank, columns: dict[str, np.ndarray], probe: str) -> pa.Table:
    names = pa.array(bank.addresses, pa.string())
    rank_rev = columns["rank_rev"]
    arrays = {
        "probe": pa.repeat(probe, len(rank_rev)),
        "src": names.take(pa.array(columns["src"])),
        "dst": names.take(pa.array(columns["dst"])),
        "sign": columns["sign"].astype(np.int8),
        "rank": columns["rank"].astype(np.int32),
        "score": columns["score"],
        "score_rev": _nullable(columns["score_rev"]),
        "rank_rev": pa.array(rank_rev, pa.int32(), mask=rank_rev == 0),
        "mutual": rank_rev > 0,
        "baseline": _nullable(columns["baseline"]),
    }
    return pa.table([pa.array(arrays[name]) for name in NEIGHBORS.names], schema=NEIGHBORS)


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float32(), mask=~np.isfinite(values))
