"""Draws pictures of 16 patterns: PatternNet's training data, a probe set, and test data.

A pattern turns a coordinate grid and a row of random numbers into a soft mask; the mask blends two colours;
noise and a slope of light go on top. Every picture has its own row of numbers, whatever else is in the batch.
"""

from collections.abc import Callable
from math import cos, pi, radians, sin
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

Map = Float[Tensor, "n size size"]
Number = Float[Tensor, "n 1 1"]  # one per picture
LATTICES = (3, 6, 12, 24)  # clouds: cells per side of each layer of value noise, each weighing half the one before
DRAWS = sum(cells**2 for cells in LATTICES)  # random numbers per picture; clouds need the most
LOOK = 12  # random numbers per picture for colours, light and noise
CONTRAST = 0.7  # least distance of the two colours in RGB, whose cube has the diagonal 1.73


class Grid(NamedTuple):
    """Coordinates of the pixels of n pictures, from -1 to 1 (x right, y down), and random numbers in [0, 1)."""

    x: Map
    y: Map
    draws: Float[Tensor, "n draws"]

    def between(self, column: int, low: float, high: float) -> Number:
        """One random number per picture, spread over [low, high)."""
        return low + (high - low) * self.draws[:, column, None, None]

    def edge(self, inside: Map) -> Map:
        """Soft mask of a signed distance (positive inside): an edge about a pixel wide."""
        return torch.sigmoid(inside * (1.5 * self.x.shape[-1]))

    def wave(self, cycles: Map) -> Map:
        """Bands, one per cycle, as a soft mask between a sine and a square wave."""
        return torch.sigmoid(5 * torch.sin(2 * pi * cycles))

    def turned(self, angle: Number) -> "Grid":
        """The same grid in axes turned by an angle in radians."""
        c, s = angle.cos(), angle.sin()
        return self._replace(x=c * self.x + s * self.y, y=c * self.y - s * self.x)

    def centred(self, reach: float) -> "Grid":
        """The same grid around a random place at most `reach` from the middle, along each axis."""
        return self._replace(x=self.x - self.between(0, -reach, reach), y=self.y - self.between(1, -reach, reach))


def stripes(degrees: int) -> Callable[[Grid], Map]:
    """Parallel bands running at an angle in degrees, counter-clockwise from horizontal, give or take 8."""

    def pattern(grid: Grid) -> Map:
        across = grid.turned(-radians(degrees) + grid.between(0, -0.14, 0.14)).y
        return grid.wave(across * grid.between(1, 1.8, 4.5) + grid.between(2, 0, 1))

    return pattern


def checks(grid: Grid) -> Map:
    """A chessboard, turned by any angle."""
    grid = grid.turned(grid.between(0, 0, 2 * pi))
    scale = grid.between(1, 1.2, 2.4)
    u, v = grid.x * scale + grid.between(2, 0, 1), grid.y * scale + grid.between(3, 0, 1)
    return torch.sigmoid(12 * torch.sin(2 * pi * u) * torch.sin(2 * pi * v))


def dots(grid: Grid) -> Map:
    """Discs at the points of a square lattice, turned by any angle."""
    grid = grid.turned(grid.between(0, 0, 2 * pi))
    pitch = grid.between(1, 0.32, 0.6)
    u, v = grid.x / pitch + grid.between(2, 0, 1), grid.y / pitch + grid.between(3, 0, 1)
    return grid.edge((grid.between(4, 0.24, 0.34) - torch.hypot(u - u.round(), v - v.round())) * pitch)


def rings(grid: Grid) -> Map:
    """Concentric bands around a place near the middle."""
    grid = grid.centred(0.5)
    return grid.wave(torch.hypot(grid.x, grid.y) * grid.between(2, 1.8, 4) + grid.between(3, 0, 1))


def spokes(grid: Grid) -> Map:
    """Four to eight sectors around a place near the middle."""
    grid = grid.centred(0.5)
    count = grid.between(2, 4, 9).floor()
    return grid.wave(torch.atan2(grid.y, grid.x) / (2 * pi) * count + grid.between(3, 0, 1))


def spirals(grid: Grid) -> Map:
    """One to three arms that wind around a place near the middle, either way."""
    grid = grid.centred(0.4)
    arms = grid.between(2, 1, 4).floor() * torch.where(grid.between(3, 0, 1) < 0.5, -1, 1)
    cycles = torch.hypot(grid.x, grid.y) * grid.between(4, 1.4, 2.6)
    return grid.wave(cycles + arms * torch.atan2(grid.y, grid.x) / (2 * pi) + grid.between(5, 0, 1))


def zigzags(grid: Grid) -> Map:
    """Parallel bands with teeth, turned by any angle."""
    grid = grid.turned(grid.between(0, 0, 2 * pi))
    along = grid.x * grid.between(1, 1.2, 2.2) + grid.between(2, 0, 1)
    teeth = 4 * (along - along.round()).abs() - 1
    return grid.wave((grid.y + grid.between(3, 0.16, 0.24) * teeth) * grid.between(4, 1.6, 2.8) + grid.between(5, 0, 1))


def cross(grid: Grid, radius: Number) -> Map:
    """Signed distance to a plus sign, positive inside."""
    long, short = torch.maximum(grid.x.abs(), grid.y.abs()), torch.minimum(grid.x.abs(), grid.y.abs())
    return torch.minimum(radius - long, 0.28 * radius - short)


def polygon(corners: int) -> Callable[[Grid, Number], Map]:
    """Signed distance to a regular polygon, positive inside: the least of the distances to its sides."""
    apothem = cos(pi / corners)

    def shape(grid: Grid, radius: Number) -> Map:
        turns = [2 * pi * k / corners for k in range(corners)]
        sides = [apothem * radius - (cos(a) * grid.x + sin(a) * grid.y) for a in turns]
        return torch.stack(sides).amin(0)

    return shape


def disc(grid: Grid, radius: Number) -> Map:
    """Signed distance to a disc, positive inside."""
    return 0.85 * radius - torch.hypot(grid.x, grid.y)


def star(grid: Grid, radius: Number) -> Map:
    """A pentagram: inside at least four of the five lines that its points span."""
    turns = [2 * pi * k / 5 for k in range(5)]
    lines = torch.stack([cos(2 * pi / 5) * radius - (cos(a) * grid.x + sin(a) * grid.y) for a in turns])
    return lines.sort(0).values[1]


def shapes(shape: Callable[[Grid, Number], Map]) -> Callable[[Grid], Map]:
    """One large copy of a shape anywhere, or three smaller ones around the middle, each turned its own way."""

    def pattern(grid: Grid) -> Map:
        alone = grid.between(2, 0, 1) < 0.5
        centre = grid.centred(0.35).turned(grid.between(3, 0, 2 * pi))
        mask = grid.edge(shape(centre, grid.between(4, 0.45, 0.75)))
        ring = [three(grid, k) for k in range(3)]
        small = torch.stack([grid.edge(shape(seat, grid.between(4, 0.36, 0.48))) for seat in ring]).amax(0)
        return torch.where(alone, mask, small)

    def three(grid: Grid, k: int) -> Grid:
        seat = grid.between(5, 0, 2 * pi) + 2 * pi * k / 3
        around = grid._replace(x=grid.x - 0.56 * seat.cos(), y=grid.y - 0.56 * seat.sin())
        return around.turned(grid.between(6 + k, 0, 2 * pi))

    return pattern


def clouds(grid: Grid) -> Map:
    """Value noise: smooth random lattices, each finer and weaker than the one before."""
    size, parts = grid.x.shape[-1], grid.draws.split([cells**2 for cells in LATTICES], dim=1)
    layers = [
        F.interpolate(part.view(-1, 1, cells, cells) - 0.5, (size, size), mode="bicubic") / 2**k
        for k, (cells, part) in enumerate(zip(LATTICES, parts, strict=True))
    ]
    return torch.sigmoid(8 * torch.stack(layers).sum(0).squeeze(1))


def colours(look: Float[Tensor, "b 6"]) -> tuple[Float[Tensor, "b 3 1 1"], Float[Tensor, "b 3 1 1"]]:
    """Two colours at least CONTRAST apart: a second one that is too near gives way to the first one's opposite."""
    first, second = look[:, :3], look[:, 3:]
    near = (first - second).norm(dim=1, keepdim=True) < CONTRAST
    second = torch.where(near, (first + 0.5) % 1, second)
    return first[:, :, None, None], second[:, :, None, None]


def draw(labels: Int[Tensor, " b"], generator: Generator, size: int = 64) -> Float[Tensor, "b 3 size size"]:
    """Pictures of the patterns with these labels (indices into CLASSES), RGB in [0, 1]."""
    b, ramp = len(labels), (torch.arange(size) + 0.5) * (2 / size) - 1
    draws, look = torch.rand(b, DRAWS, generator=generator), torch.rand(b, LOOK, 1, 1, generator=generator)
    noise = torch.randn(b, 3, size, size, generator=generator)
    masks = torch.empty(b, 1, size, size)
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().squeeze(1)
        x, y = ramp.expand(len(rows), size, size), ramp[:, None].expand(len(rows), size, size)
        masks[rows, 0] = PATTERNS[CLASSES[label]](Grid(x, y, draws[rows]))
    ground, figure = colours(look[:, :6, 0, 0])
    light = 0.15 * (look[:, 6:7] - 0.5) * ramp + 0.15 * (look[:, 7:8] - 0.5) * ramp[:, None]
    return (ground + (figure - ground) * masks + light + (0.01 + 0.07 * look[:, 8:9]) * noise).clamp_(0, 1)


def sample(
    count: int, generator: Generator, size: int = 64
) -> tuple[Float[Tensor, "count 3 size size"], Int[Tensor, " count"]]:
    """Pictures of random patterns, RGB in [0, 1], and their labels."""
    labels = sample_labels(count, generator)
    return draw(labels, generator, size), labels


def sample_labels(count: int, generator: Generator) -> Int[Tensor, " count"]:
    """The labels of the pictures that `sample` draws with a generator in the same state."""
    return torch.randint(len(CLASSES), (count,), generator=generator)


PATTERNS: dict[str, Callable[[Grid], Map]] = {
    **{f"stripes_{degrees}": stripes(degrees) for degrees in (0, 45, 90, 135)},
    "checks": checks,
    "dots": dots,
    "rings": rings,
    "spokes": spokes,
    "spirals": spirals,
    "zigzags": zigzags,
    "crosses": shapes(cross),
    "triangles": shapes(polygon(3)),
    "squares": shapes(polygon(4)),
    "discs": shapes(disc),
    "stars": shapes(star),
    "clouds": clouds,
}
CLASSES = tuple(PATTERNS)
