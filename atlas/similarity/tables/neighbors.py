"""Neighbor tables from what the blocks found: addresses, reverse ranks, and who is mutual."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.store.similarity_tables import BOTTOM, NEIGHBORS, TOP


@dataclass(frozen=True)
class Lists:
    """The lists of all features of a bank in one scope, measure and sign; against one model in scope `other`."""

    sign: int
    score: np.ndarray  # (features, k), NaN where a list has ended
    column: np.ndarray  # features of the bank; -1
    back: np.ndarray
    turned: np.ndarray

    @property
    def there(self) -> np.ndarray:
        return self.column >= 0


def read_lists(bank: Bank, found: BlockResults, scope: str, measure: str, sign: int, target: str = "") -> Lists | None:
    """What the blocks found; None when they were not asked for it. target: the other model of scope `other`."""
    name = f"{scope}.{target}.{measure}.{sign}"
    parts = [found.whole(f"{name}.{part}", len(bank.addresses)) for part in ("score", "column", "back", "turned")]
    held = [part for part in parts if part is not None]
    return Lists(sign, *held) if len(held) == len(parts) else None


def neighbor_table(bank: Bank, found: BlockResults, scope: str, measure: str, *, probe: str) -> pa.Table | None:
    """NEIGHBORS of one scope and measure, sorted by src; None when nothing was compared."""
    targets = sorted({panel.model for panel in bank.panels}) if scope == "other" else [""]
    held: list[tuple[Lists, np.ndarray]] = []
    for sign in (TOP, BOTTOM):
        lists = {target: read_lists(bank, found, scope, measure, sign, target) for target in targets}
        known = {target: one for target, one in lists.items() if one is not None}
        held += [(one, _reverse_ranks(bank, one, known)) for one in known.values()]
    if not held:
        return None
    return _table(bank, held, probe)


def _reverse_ranks(bank: Bank, mine: Lists, lists: dict[str, Lists]) -> Int[np.ndarray, "features k"]:
    """Each source's rank in the list of its neighbor; 0 where it does not stand there."""
    ranks = np.zeros(mine.column.shape, np.int32)
    for panel in bank.panels:
        theirs = lists.get(panel.model if "" not in lists else "")
        if theirs is None:
            continue
        column = mine.column[panel.features]
        me = np.arange(panel.start, panel.stop)[:, None, None]
        hits = (theirs.column[column] == me) & (column >= 0)[:, :, None]
        ranks[panel.features] = np.where(hits.any(2), hits.argmax(2) + 1, 0)
    return ranks


def _table(bank: Bank, held: list[tuple[Lists, np.ndarray]], probe: str) -> pa.Table:
    there = np.concatenate([lists.there for lists, _ in held], axis=1)

    def flat(*parts: np.ndarray) -> np.ndarray:
        return np.concatenate(parts, axis=1)[there]

    def every(value: np.ndarray, lists: Lists) -> np.ndarray:
        return np.broadcast_to(value, lists.score.shape)

    columns = {
        "src": flat(*(every(np.arange(len(bank.addresses))[:, None], lists) for lists, _ in held)),
        "dst": flat(*(lists.column for lists, _ in held)),
        "sign": flat(*(every(np.array(lists.sign), lists) for lists, _ in held)),
        "rank": flat(*(every(np.arange(1, lists.score.shape[1] + 1), lists) for lists, _ in held)),
        "score": flat(*(lists.score for lists, _ in held)),
        "score_rev": flat(*(lists.back for lists, _ in held)),
        "rank_rev": flat(*(ranks for _, ranks in held)),
        "baseline": flat(*(lists.turned for lists, _ in held)),
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
