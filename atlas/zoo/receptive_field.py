"""Receptive fields: a truncated forward in; out, for each layer, the box of pixels that reaches a position of its map.

The box is the support of the gradient of that position with respect to the picture, which any network has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor
from typing import NamedTuple

import torch
from torch import Tensor

from atlas.zoo.forward import Forward

SEED = 0  # of the noise
# Pictures of noise that a position is measured on. ReLUs and maximum pools hide pixels of one that another shows, so
# that further ones are taken while each widens the box.
LEAST_DRAWS, MOST_DRAWS = 2, 8

Span = tuple[int, int]  # the first pixel along an axis, and one past the last
Position = tuple[int, int]  # row and column of a map


class Box(NamedTuple):
    """Pixels of a picture as a model is shown it: x0 ≤ x < x1 and y0 ≤ y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that reach each row and each column of a layer's map, cut off at the picture's border."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def box(self, y: int, x: int) -> Box:
        """The receptive field of the position in row y and column x of the map. IndexError: the map has none such."""
        (x0, x1), (y0, y1) = self.columns[x], self.rows[y]
        return Box(x0, y0, x1, y1)


def receptive_fields(
    forward: Forward, size: int, device: str | torch.device = "cpu", *, channels: int = 3
) -> dict[str, ReceptiveField]:
    """The receptive field of every layer of a forward pass, for square pictures of `size` pixels and some channels.

    The first and last two positions of a map are measured; strides are even, so that the others lie on lines between
    them. Where they do not (windows of attention), each position of the diagonal is measured. The whole picture is the
    field of a position that every pixel reaches (after global pooling, or attention), of any token, and of a position
    that no gradient leaves.
    """
    noise = partial(_noise, (1, channels, size, size), device)
    with torch.no_grad():
        shapes = {layer: tuple(maps.shape[2:]) for layer, maps in forward(noise(SEED)).items()}
    whole = (0, size)
    fields = {layer: ReceptiveField((whole,) * height, (whole,) * width) for layer, (height, width) in shapes.items()}
    mapped = {layer: shape for layer, shape in shapes.items() if shape[1] > 1 or shape[0] == 1}
    corners = {layer: list(zip(*map(_ends, shape), strict=True)) for layer, shape in mapped.items()}
    bent: dict[str, list[Position]] = {}
    for layer, spans in _measured(forward, noise, corners, size).items():
        rows, columns = (_on_line(axis, n, size) for axis, n in zip(spans, mapped[layer], strict=True))
        if rows is None or columns is None:
            height, width = mapped[layer]
            bent[layer] = [(min(i, height - 1), min(i, width - 1)) for i in range(max(height, width))]
        else:
            fields[layer] = ReceptiveField(rows, columns)
    for layer, spans in _measured(forward, noise, bent, size).items():
        rows, columns = (tuple(axis[i] for i in sorted(axis)) for axis in spans)
        fields[layer] = ReceptiveField(rows, columns)
    return fields


def _ends(count: int) -> tuple[int, int, int, int]:
    return 0, min(1, count - 1), max(count - 2, 0), count - 1


def _on_line(spans: Mapping[int, Span], count: int, size: int) -> tuple[Span, ...] | None:
    """The spans of all positions along an axis, from those of a few; None where these lie on no line."""
    low, low_stride = _edge({count - 1 - i: first for i, (first, _) in spans.items()})
    high, high_stride = _edge({i: size - stop for i, (_, stop) in spans.items()})
    line = tuple(
        (max(0, floor(low - low_stride * (count - 1 - i))), min(size, ceil(size - high + high_stride * i)))
        for i in range(count)
    )
    return line if all(line[i] == span for i, span in spans.items()) else None


def _edge(distances: Mapping[int, int]) -> tuple[int, float]:
    """How far the field of an axis's last position is from the border opposite, and by how much less each step away.

    distances: by steps from the last position; 0 where the border cuts the field off.
    """
    last = distances[0]
    clear = [step for step in distances if step and distances[step]]
    # Where all others are cut off, a stride that just reaches the border cuts them off, too.
    step = max(clear) if clear else min((step for step in distances if step), default=1)
    return last, (last - distances.get(step, last)) / step


def _measured(
    forward: Forward, noise: Callable[[int], Tensor], positions: Mapping[str, Iterable[Position]], size: int
) -> dict[str, tuple[dict[int, Span], dict[int, Span]]]:
    """For each layer the spans of some rows, and of some columns, from the gradients of some positions of its map."""
    reached = {(layer, position): _Reach(size) for layer, some in positions.items() for position in some}
    for draw in range(MOST_DRAWS):
        growing = {key: reach for key, reach in reached.items() if reach.may_grow(draw)}
        if not growing:
            break
        picture = noise(SEED + draw).requires_grad_()
        maps = forward(picture.clone())
        signs = torch.Generator().manual_seed(SEED + draw)
        for (layer, (y, x)), reach in growing.items():
            values = maps[layer][0, :, y, x]
            weights = torch.randn(values.shape, generator=signs).to(values)
            total = values @ weights
            # a forward under no_grad has none
            (gradient,) = (
                torch.autograd.grad(total, picture, retain_graph=True, allow_unused=True)
                if total.requires_grad
                else (None,)
            )
            reach.add(gradient)
    spans: dict[str, tuple[dict[int, Span], dict[int, Span]]] = {layer: ({}, {}) for layer in positions}
    for (layer, (y, x)), reach in reached.items():
        rows, columns = spans[layer]
        rows[y], columns[x] = reach.span(0), reach.span(1)
    return spans


class _Reach:
    """The pixels of a picture that have reached a position so far: its rows, and its columns."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.hit = torch.zeros(2, size, dtype=torch.bool)
        self.widened = True

    def add(self, gradient: Tensor | None) -> None:
        if gradient is None:
            self.widened = False
            return
        pixels = (gradient[0] != 0).any(0)
        hit = self.hit | torch.stack([pixels.any(1), pixels.any(0)]).cpu()
        self.widened = not torch.equal(hit, self.hit)
        self.hit = hit

    def may_grow(self, draws: int) -> bool:
        """Whether a further picture may show more."""
        whole = bool(self.hit[:, [0, -1]].all())
        return not whole and (draws < LEAST_DRAWS or self.widened)

    def span(self, axis: int) -> Span:
        places = self.hit[axis].nonzero().flatten()
        return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, self.size)


def _noise(shape: Sequence[int], device: str | torch.device, seed: int) -> Tensor:
    """Pictures of normal noise, the same on every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)
