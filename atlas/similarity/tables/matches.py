"""Two models feature by feature: each one's best match, its excess over the baseline, and partners one to one."""

from itertools import permutations

import numpy as np
import pyarrow as pa

from atlas.similarity.compare.bank import Bank, LayerSpan
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.tables.layer_pairs import closest_layers
from atlas.similarity.tables.neighbors import Lists, read_lists
from atlas.store.similarity_tables import MATCHES, TOP


def match_table(bank: Bank, found: BlockResults, layers: pa.Table, *, probe: str) -> pa.Table:
    """MATCHES of every ordered pair of models, by profile: over the same pictures, as Li 2015 compares networks."""
    models = sorted({panel.model for panel in bank.panels})
    lists = {target: read_lists(bank, found, "other", "profile", TOP, target) for target in models}
    best = {target: one for target, one in lists.items() if one is not None}
    rows = [
        row
        for a, b in permutations(best, 2)
        for row in _matches(bank, a, b, there=best[b], back=best[a], partner=_partners(bank, layers, a, b))
    ]
    return pa.Table.from_pylist([{"probe": probe, **row} for row in rows], schema=MATCHES)


def _matches(
    bank: Bank, a: str, b: str, *, there: Lists, back: Lists, partner: dict[int, tuple[int, float]]
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for feature in (f for panel in bank.panels if panel.model == a for f in range(panel.start, panel.stop)):
        chosen = int(there.column[feature, 0])
        if chosen < 0:
            continue
        score, baseline = float(there.score[feature, 0]), float(there.turned[feature, 0])
        other, other_score = partner.get(feature, (None, None))
        rows.append(
            {
                "model_a": a,
                "model_b": b,
                "src": bank.addresses[feature],
                "dst": bank.addresses[chosen],
                "score": score,
                "baseline": baseline,
                "excess": score - baseline,
                "mutual": int(back.column[chosen, 0]) == feature,
                "partner": None if other is None else bank.addresses[other],
                "partner_score": other_score,
            }
        )
    return rows


def _partners(bank: Bank, layers: pa.Table, a: str, b: str) -> dict[int, tuple[int, float]]:
    """One-to-one partners in layers that belong together, such that the sum of r is highest."""
    numbers = {(panel.model, panel.layer): number for number, panel in enumerate(bank.panels)}
    found: dict[int, tuple[int, float]] = {}
    for layer_a, layer_b in closest_layers(layers, a, b).items():
        found |= _assigned(bank, numbers[a, layer_a], numbers[b, layer_b])
    return found


def _assigned(bank: Bank, a: int, b: int) -> dict[int, tuple[int, float]]:
    from scipy.optimize import linear_sum_assignment

    live_a, live_b = (np.flatnonzero(bank.facts(number).alive) for number in (a, b))
    r = bank.rows(a)[live_a] @ bank.rows(b)[live_b].T
    mine, theirs = linear_sum_assignment(r, maximize=True)
    return {
        _place(bank.panels[a], live_a[i]): (_place(bank.panels[b], live_b[j]), float(r[i, j]))
        for i, j in zip(mine, theirs, strict=True)
    }


def _place(panel: LayerSpan, channel: np.int64) -> int:
    return panel.start + int(channel)
