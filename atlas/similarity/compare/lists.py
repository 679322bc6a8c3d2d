"""Neighbor lists of some sources: ranked layer by layer, then merged into the lists of each scope."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from atlas.similarity.compare.bank import LayerSpan
from atlas.similarity.compare.measures import Tile
from atlas.similarity.compare.ranking import best

Lists = dict[str, Shaped[Tensor, "sources _"]]  # score, column (of the bank), back and turned, best first


def ranked(tile: Tile, k: int, sign: int, start: int) -> Lists:
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
        torch.cat([one[part] for one in lists], dim=1) for part in ("score", "column", "back", "turned")
    )
    chosen = best(score, k, sign)
    place = chosen.columns.clamp(min=0)
    gone = chosen.columns < 0
    return {
        "score": chosen.scores,
        "column": column.gather(1, place).masked_fill(gone, -1),
        "back": back.gather(1, place).masked_fill(gone, torch.nan),
        "turned": best(turned, k, sign).scores,
    }


def targets(scope: str, panels: Sequence[LayerSpan], mine: int) -> Iterator[tuple[str, list[int]]]:
    """The layers that a scope compares with: one list of them, or one for each other model."""
    model = panels[mine].model
    numbers = range(len(panels))
    if scope == "layer":
        yield "", [mine]
    elif scope == "model":
        yield "", [number for number in numbers if panels[number].model == model]
    elif scope == "all":
        yield "", list(numbers)
    else:
        for other in sorted({panel.model for panel in panels} - {model}):
            yield other, [number for number in numbers if panels[number].model == other]
