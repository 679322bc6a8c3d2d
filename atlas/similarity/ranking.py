"""The k best of each row of a tile of scores: exact, and the same whatever computed it, ties by column."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Ranked(NamedTuple):
    """The best of each row, best first; rows with fewer candidates than k end in NaN and -1."""

    scores: Float[Tensor, "rows k"]
    columns: Int[Tensor, "rows k"]


def best(scores: Float[Tensor, "rows columns"], k: int, sign: int = 1) -> Ranked:
    """The k highest scores of each row (sign 1), or the k lowest (sign -1). NaN is no candidate.

    Order: score, then column ascending; that is by address, since columns stand in the order of addresses.
    """
    keyed = torch.where(scores.isnan(), -torch.inf, scores * sign)
    k = min(k, scores.shape[1])
    values, columns = keyed.topk(k, dim=1)
    ties = (keyed >= values[:, -1:]).sum(1) > k  # more of the last value than were taken: topk took any of them
    if ties.any():
        columns[ties] = keyed[ties].sort(dim=1, descending=True, stable=True).indices[:, :k]
    columns = columns.sort(dim=1).values
    order = keyed.gather(1, columns).sort(dim=1, descending=True, stable=True)
    columns = columns.gather(1, order.indices)
    empty = order.values.isneginf()
    return Ranked((order.values * sign).masked_fill(empty, torch.nan), columns.masked_fill(empty, -1))
