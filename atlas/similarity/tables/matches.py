"""Two models feature by feature: each feature's best match, its excess over the baseline,
and partners one to one.
"""

from itertools import permutations

import numpy as np
import pyarrow as pa
from scipy.optimize import linear_sum_assignment

from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.tables.layer_pairs import closest_layers
from atlas.similarity.tables.neighbors import ScopeLists, read_lists
from atlas.store.similarity_tables import MATCHES, TOP

Partners = dict[int, tuple[int, float]]  # of each feature that has one: its partner, and their r


def match_table(bank: Bank, results: BlockResults, layers: pa.Table, *, probe: str) -> pa.Table:
    """MATCHES of every ordered pair of models, by profile: over the same pictures, as Li 2015 compares networks.

    layers: LAYERS of the same results.
    """
    models = sorted({span.model for span in bank.spans})
    lists = {model: read_lists(results, "other", "profile", TOP, model) for model in models}
    nearest_in = {model: model_lists for model, model_lists in lists.items() if model_lists is not None}
    rows = [
        row
        for a, b in permutations(nearest_in, 2)
        for row in _matches(bank, nearest_in, _partners(bank, layers, a, b), a=a, b=b)
    ]
    return pa.Table.from_pylist([{"probe": probe, **row} for row in rows], schema=MATCHES)


def _matches(
    bank: Bank, nearest_in: dict[str, ScopeLists], partners: Partners, *, a: str, b: str
) -> list[dict[str, object]]:
    """A row for each feature of a that has a match in b; nearest_in: the lists of all features in each model."""
    there, back = nearest_in[b], nearest_in[a]
    rows: list[dict[str, object]] = []
    for feature in (f for span in bank.spans if span.model == a for f in range(span.start, span.stop)):
        match = int(there.column[feature, 0])
        if match < 0:
            continue
        score, baseline = float(there.score[feature, 0]), float(there.turned[feature, 0])
        partner, partner_score = partners.get(feature, (None, None))
        rows.append(
            {
                "model_a": a,
                "model_b": b,
                "src": bank.addresses[feature],
                "dst": bank.addresses[match],
                "score": score,
                "baseline": baseline,
                "excess": score - baseline,
                "mutual": int(back.column[match, 0]) == feature,
                "partner": None if partner is None else bank.addresses[partner],
                "partner_score": partner_score,
            }
        )
    return rows


def _partners(bank: Bank, layers: pa.Table, a: str, b: str) -> Partners:
    """One-to-one partners in layers that belong together, such that the sum of r is highest."""
    numbers = {(span.model, span.layer): number for number, span in enumerate(bank.spans)}
    partners: Partners = {}
    for layer_a, layer_b in closest_layers(layers, a, b).items():
        partners |= _assigned(bank, numbers[a, layer_a], numbers[b, layer_b])
    return partners


def _assigned(bank: Bank, a: int, b: int) -> Partners:
    live_a, live_b = (np.flatnonzero(bank.facts(number).alive) for number in (a, b))
    r = bank.rows(a)[live_a] @ bank.rows(b)[live_b].T
    rows, columns = linear_sum_assignment(r, maximize=True)
    return {
        _feature(bank.spans[a], live_a[i]): (_feature(bank.spans[b], live_b[j]), float(r[i, j]))
        for i, j in zip(rows, columns, strict=True)
    }


def _feature(span: LayerSpan, channel: np.int64) -> int:
    return span.start + int(channel)
