"""What an image is made of, which is what a step changes: its pixels, its Fourier coefficients, or their phases alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from atlas.config.colours import CORRELATION

GRAY = 0.5  # how a dead feature is drawn, and what lies around an image
CONTRAST = 4.0  # lucid divides by it, so that images begin near to gray
RGB = 3  # channels; an image of any other number of them has no colours that vary together
EVEN = 1e-4  # keeps what is standardised finite, as published


@dataclass(frozen=True)
class Param:
    """What a batch of images begins as, and how its values show as images (b, c, h, w)."""

    values: Float[Tensor, "b ..."]
    render: Callable[[Tensor], Tensor]  # takes the values of some of the images
    size: tuple[int, int]  # of these, height and width
    gray: Tensor | float = GRAY  # (c, 1, 1) where the images have a range of their own
    channels: int = RGB  # of the images


def noise(seeds: Sequence[int], size: int, low: float, high: float, *, channels: int = RGB) -> Float[Tensor, "b c s s"]:
    """Uniform noise in [low, high), image by image from its own seed, so an image's start does not know its batch."""
    drawn = torch.stack([torch.rand((channels, size, size), generator=stream(seed)) for seed in seeds])
    return drawn * (high - low) + low


def stream(seed: int, device: str = "cpu") -> torch.Generator:
    """The random numbers of one image."""
    return torch.Generator(device).manual_seed(seed)


def pixels(images: Float[Tensor, "b c h w"], gray: Tensor | float = GRAY) -> Param:
    """The images themselves."""
    height, width = images.shape[-2:]
    return Param(images, lambda values: values, (height, width), gray, images.shape[1])


def fourier(seeds: Sequence[int], size: int, mean: float, deviation: float, *, channels: int = RGB) -> Param:
    """Coefficients of uncorrelated colours, each weighted by 1/frequency, shown through a sigmoid (lucid's fft_image).

    Steps then change large and small structures alike, and colours as they vary in nature. Values in (0, 1).
    """
    shape = (channels, size, size // 2 + 1, 2)
    drawn = torch.stack([torch.randn(shape, generator=stream(seed)) for seed in seeds]) * deviation + mean

    def render(values: Tensor) -> Tensor:
        weighted = torch.view_as_complex(values) / frequencies(size, values.device).to(values)
        colours = torch.fft.irfft2(weighted, s=(size, size), norm="ortho") / CONTRAST
        return torch.sigmoid(correlated(colours))

    return Param(drawn, render, (size, size), channels=channels)


def phases(
    seeds: Sequence[int],
    size: int,
    mean: float,
    deviation: float,
    *,
    amplitudes: Sequence[Sequence[float]] | None,
    channels: int = RGB,
) -> Param:
    """Phases of Fourier coefficients whose magnitudes stay those of natural pictures (MACO, Fel et al. 2023).

    amplitudes: of three uncorrelated colours at even steps of frequency from 0 to the highest; None: 1/frequency. Images
    that are not RGB have the first one's, which is that of brightness, in every channel.
    Phases and pictures are standardised, as published. Values in (0, 1).
    """
    shape = (channels, size, size // 2 + 1)
    curves = None if amplitudes is None else tuple(map(tuple, amplitudes))
    if curves is not None and channels != RGB:
        curves = curves[:1]
    drawn = torch.stack([torch.randn(shape, generator=stream(seed)) for seed in seeds]) * deviation + mean

    def render(values: Tensor) -> Tensor:
        device = values.device
        magnitudes = 1.0 / frequencies(size, device) if curves is None else read_off(curves, size, device)
        spectrum = torch.polar(magnitudes.to(values).expand_as(values).contiguous(), standardized(values))
        colours = torch.fft.irfft2(spectrum, s=(size, size))
        return torch.sigmoid(correlated(standardized(colours)))

    return Param(drawn, render, (size, size), channels=channels)


# what every step needs alike is brought to a device once: a step that waits for a transfer leaves a GPU idle. It serves
# one model after another, and so asks for no default dtype, which a model's code may have changed.
@lru_cache(maxsize=16)
def frequencies(size: int, device: torch.device) -> Float[Tensor, "s half"]:
    """Cycles per pixel of each coefficient of a square real image; the constant one counts as one cycle in all."""
    down, across = (wave(size, dtype=torch.float32) for wave in (torch.fft.fftfreq, torch.fft.rfftfreq))
    return torch.hypot(down[:, None], across[None]).clamp(min=1.0 / size).to(device)


@lru_cache(maxsize=16)
def read_off(amplitudes: tuple[tuple[float, ...], ...], size: int, device: torch.device) -> Float[Tensor, "c s half"]:
    """The magnitude of each coefficient, from curves over frequency."""
    curves = torch.tensor(amplitudes, device=device, dtype=torch.float32)
    place = frequencies(size, device) / 0.5**0.5 * (curves.shape[1] - 1)  # the highest: half a cycle down and across
    below = place.floor().long().clamp(max=curves.shape[1] - 2)
    part = place - below
    return curves[:, below] * (1 - part) + curves[:, below + 1] * part


def correlated(colours: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Uncorrelated colours → RGB that varies as in nature; channels that are no RGB stay as they are."""
    if colours.shape[1] != RGB:
        return colours
    return torch.einsum("rc,bchw->brhw", correlation(colours.device).to(colours), colours)


@lru_cache(maxsize=16)
def correlation(device: torch.device) -> Float[Tensor, "3 3"]:
    """How colours vary together in nature (lucid's matrix), its longest column 1."""
    matrix = torch.tensor(CORRELATION, dtype=torch.float32)
    return (matrix / matrix.norm(dim=0).max()).to(device)


def standardized(values: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
    """Each image's own values with mean 0 and deviation 1."""
    dims = tuple(range(1, values.ndim))
    centred = values - values.mean(dims, keepdim=True)
    return centred / (values.std(dims, keepdim=True) + EVEN)
