"""The k best of each row of a tile of scores: exact, and the same whatever computed it, ties by column."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

GROUP_COLUMNS = 8  # whose best is looked at first, for all of them


class Ranked(NamedTuple):
    """The best of each row, best first; rows with fewer candidates than k end in NaN and -1."""

    scores: Float[Tensor, "rows k"]
    columns: Int[Tensor, "rows k"]


def best(scores: Float[Tensor, "rows columns"], k: int, sign: int = 1) -> Ranked:
    """The k highest scores of each row (sign 1), or the k lowest (sign -1). NaN is no candidate.

    Order: score, then column ascending; that is by address, since columns stand in the order of addresses.
    """
    if not scores.numel():
        return Ranked(scores[:, :0], torch.zeros(len(scores), 0, dtype=torch.long, device=scores.device))
    worst = -sign * torch.inf
    finite = bool(scores.sum().isfinite())
    candidates = scores if finite else torch.nan_to_num(scores, nan=worst, posinf=torch.inf, neginf=-torch.inf)
    k = min(k, candidates.shape[1])
    near = _shortlist(candidates, min(k + 1, candidates.shape[1]), sign)
    values, positions = candidates.gather(1, near).topk(min(k + 1, candidates.shape[1]), dim=1, largest=sign > 0)
    columns = near.gather(1, positions[:, :k])
    ties = values[:, k - 1] == values[:, -1]
    # more of the last value than are taken: topk takes any of them
    if values.shape[1] > k and ties.any():
        columns[ties] = candidates[ties].sort(dim=1, descending=sign > 0, stable=True).indices[:, :k]
    columns = columns.sort(dim=1).values
    order = candidates.gather(1, columns).sort(dim=1, descending=sign > 0, stable=True)
    columns = columns.gather(1, order.indices)
    empty = order.values == worst
    return Ranked(order.values.masked_fill(empty, torch.nan), columns.masked_fill(empty, -1))


def _shortlist(candidates: Float[Tensor, "rows columns"], k: int, sign: int) -> Int[Tensor, "rows near"]:
    """Columns that hold the k best of each row: those of the k groups whose best is best. Takes a third of topk's time."""
    rows, columns = candidates.shape
    groups = columns // GROUP_COLUMNS
    if groups < 2 * k:
        return torch.arange(columns, device=candidates.device).expand(rows, -1)
    grouped = candidates[:, : groups * GROUP_COLUMNS].unflatten(1, (groups, GROUP_COLUMNS))
    peaks = grouped.amax(2) if sign > 0 else grouped.amin(2)
    chosen = peaks.topk(k, dim=1, largest=sign > 0).indices
    inside = (chosen[:, :, None] * GROUP_COLUMNS + torch.arange(GROUP_COLUMNS, device=candidates.device)).flatten(1)
    rest = torch.arange(groups * GROUP_COLUMNS, columns, device=candidates.device).expand(rows, -1)
    return torch.cat([inside, rest], dim=1)
