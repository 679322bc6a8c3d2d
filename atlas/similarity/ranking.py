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
    worst = -sign * torch.inf
    held = torch.nan_to_num(scores, nan=worst, posinf=torch.inf, neginf=-torch.inf)
    k = min(k, held.shape[1])
    values, columns = held.topk(min(k + 1, held.shape[1]), dim=1, largest=sign > 0)
    ties = values[:, k - 1] == values[:, -1] if values.shape[1] > k else torch.zeros(len(held), dtype=torch.bool)
    columns = columns[:, :k]
    if ties.any():  # more of the last value than are taken: topk takes any of them
        columns[ties] = held[ties].sort(dim=1, descending=sign > 0, stable=True).indices[:, :k]
    columns = columns.sort(dim=1).values
    order = held.gather(1, columns).sort(dim=1, descending=sign > 0, stable=True)
    columns = columns.gather(1, order.indices)
    empty = order.values == worst
    return Ranked(order.values.masked_fill(empty, torch.nan), columns.masked_fill(empty, -1))
