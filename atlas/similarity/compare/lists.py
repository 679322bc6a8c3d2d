"""Neighbor lists of some sources: ranked layer by layer, then merged into the lists of each scope."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from atlas.similarity.compare.measures import Tile
from atlas.similarity.compare.ranking import best
from atlas.similarity.compare.spans import LayerSpan

# score, column (a feature of the bank), back (the score the other way) and turned (the rotated copy's), best first
Lists = dict[str, Shaped[Tensor, "sources _"]]


def ranked(tile: Tile, k: int, sign: int, start: int) -> Lists:
    """The k best of a tile of one layer, whose first feature is `start`; also the column in the rotated copy."""
    forward, turned = best(tile.forward, k, sign), best(tile.turned, k, sign)
    back = tile.back.gather(1, forward.columns.clamp(min=0)).masked_fill(forward.columns < 0, torch.nan)
    column = torch.where(forward.columns < 0, -1, forward.columns + start)
    return {
        "score": forward.scores,
        "column": column,
        "back": back,
        "turned": turned.scores,
        "turned_column": turned.columns,
    }


def merge(lists: list[Lists], k: int, sign: int) -> Lists:
    """The best of several lists, which come in the order of their features."""
    score, column, back, turned = (
        torch.cat([layer[part] for layer in lists], dim=1) for part in ("score", "column", "back", "turned")
    )
    chosen = best(score, k, sign)
    picked = chosen.columns.clamp(min=0)
    ended = chosen.columns < 0
    return {
        "score": chosen.scores,
        "column": column.gather(1, picked).masked_fill(ended, -1),
        "back": back.gather(1, picked).masked_fill(ended, torch.nan),
        "turned": best(turned, k, sign).scores,
    }


def numbers_in_scope(scope: str, spans: Sequence[LayerSpan], own: int) -> Iterator[tuple[str, list[int]]]:
    """The layers, by number, that a scope compares layer `own` with.

    One list of them under the name "", but for scope `other`: a list for each other model, under its name.
    """
    model = spans[own].model
    numbers = range(len(spans))
    if scope == "layer":
        yield "", [own]
    elif scope == "model":
        yield "", [number for number in numbers if spans[number].model == model]
    elif scope == "all":
        yield "", list(numbers)
    else:
        for other in sorted({span.model for span in spans} - {model}):
            yield other, [number for number in numbers if spans[number].model == other]
