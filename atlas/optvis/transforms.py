"""Views: what the model is shown of an image at one step, moved, scaled, turned, cropped and blurred by noise at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from atlas.optvis.params import stream
from atlas.optvis.schedule import Octave, Transforms

NUMBERS = 6  # that one view needs: two shifts, each down and across; a size; a turn
SPREAD = 0.15  # of the middles of crops around the image's own, in parts of it, as published
Images = Float[Tensor, "b c h w"]


class Streams:
    """The random numbers of a batch of images, each from its own seed: none knows which others there are."""

    def __init__(self, seeds: Sequence[int], device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.streams = [stream(seed, str(self.device)) for seed in seeds]

    def uniform(self, *shape: int) -> Float[Tensor, "b ..."]:
        return torch.stack([torch.rand(shape, generator=generator, device=self.device) for generator in self.streams])

    def normal(self, *shape: int) -> Float[Tensor, "b ..."]:
        return torch.stack([torch.randn(shape, generator=generator, device=self.device) for generator in self.streams])

    def keep(self, kept: Bool[Tensor, " b"]) -> None:
        """Only some of the images go on."""
        self.streams = [generator for generator, stays in zip(self.streams, kept.tolist(), strict=True) if stays]

    def state(self) -> list[Tensor]:
        """Where each image's numbers are."""
        return [generator.get_state() for generator in self.streams]

    def restore(self, states: list[Tensor]) -> None:
        """Go on from there, with as many images as there were."""
        self.streams = self.streams[: len(states)]
        for generator, state in zip(self.streams, states, strict=True):
            generator.set_state(state.cpu())


@dataclass(frozen=True)
class Views:
    """What is drawn for one step: from where in its image each pixel of a view comes, and the noise on it."""

    moves: Float[Tensor, "b views 2 3"]  # pixel from the middle of the view → pixel from the middle of the image
    noise: Float[Tensor, "b views c h w"] | None
    size: tuple[int, int]  # of a view
    wrap: bool = False  # whether an image goes on with its other side beyond an edge

    def show(self, images: Images, gray: Tensor | float) -> Float[Tensor, "views c h2 w2"]:
        """The views of the first image, then of the second, and so on; gray beyond their edges, or their other side."""
        views = sample(images - gray, self.moves.to(images), self.size, self.wrap) + gray
        return views if self.noise is None else views + self.noise.flatten(0, 1).to(images)


def draw_moves(
    transforms: Transforms, octave: Octave, size: tuple[int, int], streams: Streams, *, steps: int
) -> Float[Tensor, "b steps views 2 3"]:
    """Where the views of the next steps lie: for all of them at once, since a GPU is told of each small tensor in turn."""
    view = _view_size(transforms, octave, size)
    draw = _moves if transforms.crop is None else _crops
    return draw(transforms, streams.uniform(steps, transforms.views, NUMBERS), size, view)


def draw_views(
    transforms: Transforms,
    octave: Octave,
    shape: tuple[int, int, int],
    streams: Streams,
    moves: Float[Tensor, "b views 2 3"],
) -> Views:
    """The views of one step of images of `shape` (channels, height, width), whose moves `draw_moves` has drawn."""
    channels, *size = shape
    view, deviation = _view_size(transforms, octave, (size[0], size[1])), transforms.noise
    noise = deviation * streams.normal(transforms.views, channels, *view) if deviation else None
    return Views(moves, noise, view, transforms.edge == "wrap")


def _view_size(transforms: Transforms, octave: Octave, size: tuple[int, int]) -> tuple[int, int]:
    shown = octave.shown or max(size)
    wider = shown - max(size)
    return (size[0] + wider, size[1] + wider) if transforms.crop is None else (shown, shown)


def _moves(
    transforms: Transforms, drawn: Float[Tensor, "b steps v n"], image: tuple[int, int], view: tuple[int, int]
) -> Float[Tensor, "b steps v 2 3"]:
    """Shift by whole pixels, scale and turn around the middle, shift again (lucid's order, read backwards)."""
    first, second = transforms.jitter
    between = (image[0] - view[0] - first - second) % 2 / 2  # the middles of image and view may lie half a pixel apart
    before, after = _shift(drawn[..., :2], first) + between, _shift(drawn[..., 2:4], second)
    if transforms.shift:
        across, down = ((2 * drawn[..., :2] - 1) * transforms.shift).unbind(-1)
        before = before + torch.stack([across * image[1], down * image[0]], -1)
    low, high = transforms.scale
    scale = low + (high - low) * drawn[..., 4]
    angle = torch.deg2rad(transforms.rotate * (2 * drawn[..., 5] - 1))
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    shift = (turn @ after[..., None])[..., 0] + before
    return torch.cat([turn, shift[..., None]], -1)


def _shift(drawn: Float[Tensor, "b steps v 2"], width: int) -> Float[Tensor, "b steps v 2"]:
    """Whole pixels, evenly from 0 to `width`, less its middle."""
    return (drawn * (width + 1)).floor().clamp(max=width) - width / 2


def _crops(
    transforms: Transforms, drawn: Float[Tensor, "b steps v n"], image: tuple[int, int], view: tuple[int, int]
) -> Float[Tensor, "b steps v 2 3"]:
    """Square parts of the image, near to its middle and within it, scaled to the view."""
    low, high = transforms.crop or (1.0, 1.0)
    side = (low + (high - low) * drawn[..., 4:5]) * min(image)
    normal = torch.erfinv((2 * drawn[..., :2] - 1).clamp(-0.999, 0.999)) * 2**0.5
    extent = torch.tensor(image[::-1]).to(drawn)  # across, down
    reach = ((extent - side) / 2).clamp(min=0)
    middle = (normal * SPREAD * extent).clamp(-reach, reach)
    scale = side / view[0]
    turn = torch.eye(2, device=drawn.device) * scale[..., None]
    return torch.cat([turn, middle[..., None]], -1)


def sample(
    images: Images, moves: Float[Tensor, "b v 2 3"], size: tuple[int, int], wrap: bool = False
) -> Float[Tensor, "views c h2 w2"]:
    """Views of `size` (height, width) of each image, bilinear. Pixels are counted from the middles.

    Beyond the edges lies 0, or with `wrap` the image's other side. All views of an image are read off it at once, one
    below the other: an image may be much larger than its views.
    """
    height, width = images.shape[-2:]
    x, y = _places(moves, size)
    if wrap:
        images = F.pad(images, (0, 1, 0, 1), mode="circular")
        # by coordinate: a tensor of both sides would be brought to the device at every step
        x, y = (x + (width - 1) / 2) % width - width / 2, (y + (height - 1) / 2) % height - height / 2
        height, width = height + 1, width + 1
    if images.device.type == "cpu":
        scaled = torch.stack([x * (2 / width), y * (2 / height)], -1)
        read = F.grid_sample(images, scaled, padding_mode="zeros", align_corners=False)
    else:
        read = gathered(images, x + (width - 1) / 2, y + (height - 1) / 2)
    return read.unflatten(2, (-1, size[0])).transpose(1, 2).flatten(0, 1)


def _places(
    moves: Float[Tensor, "b v 2 3"], size: tuple[int, int]
) -> tuple[Float[Tensor, "b h2 w2"], Float[Tensor, "b h2 w2"]]:
    """How far from the middle of its image each pixel of the views is read: across, down."""
    down, across = (torch.arange(side, device=moves.device, dtype=moves.dtype) - (side - 1) / 2 for side in size)
    rows = moves[..., 1:2] * down + moves[..., 2:]
    columns = moves[..., :1] * across
    x, y = (rows[..., :, None] + columns[..., None, :]).unbind(2)
    return x.flatten(1, 2), y.flatten(1, 2)


def gathered(images: Images, x: Float[Tensor, "b h2 w2"], y: Float[Tensor, "b h2 w2"]) -> Float[Tensor, "b c h2 w2"]:
    """`grid_sample` at pixels (x, y), with a gradient that CUDA adds up in one order, so that bytes repeat.

    A CPU takes four times as long for it.
    """
    batch, colours, height, width = images.shape
    framed = F.pad(images, (1, 2, 1, 2)).flatten(2)
    x, y = (x + 1).clamp(0, width + 1), (y + 1).clamp(0, height + 1)
    right, low = (x - x.floor())[:, None], (y - y.floor())[:, None]
    corner = (y.long() * (width + 3) + x.long()).flatten(1)[:, None].expand(batch, colours, -1)

    def at(offset: int) -> Tensor:
        return framed.gather(2, corner + offset).view(batch, colours, *x.shape[1:])

    above = at(0) * (1 - right) + at(1) * right
    below = at(width + 3) * (1 - right) + at(width + 4) * right
    return above * (1 - low) + below * low
