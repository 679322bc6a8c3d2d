"""How many channels a network's pictures have: found on the network itself; and RGB as gray, for one that sees no colour."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from atlas.zoo.forward import runs_on

RGB, GRAY = 3, 1
ALLOWED = "give one number, or one for each channel"
LUMA = (0.299, 0.587, 0.114)  # of red, green, blue in gray: ITU-R 601, as PIL's mode L has it


def picture_channels(model: nn.Module, size: int, like: Tensor) -> int:
    """Channels of the pictures that a network takes: 3 where its first convolution does, or it can be run on them.

    Else as many as one of its convolutions has, with which it can be run; 3 where none will do, and a forward pass of
    these tells why. model: in eval mode, on the device of `like`, whose dtype its weights have. size: of the pictures.
    """
    first = next((module.in_channels for module in model.modules() if isinstance(module, _ConvNd)), None)
    if first == RGB:
        return RGB
    candidates = dict.fromkeys((RGB, GRAY, *_of_convolutions(model)))
    runs = (count for count in candidates if runs_on(model, like.new_zeros(2, count, size, size)))
    return next(runs, first if first == GRAY else RGB)


def in_channels(images: Float[Tensor, "*b _ h w"], count: int) -> Float[Tensor, "*b _ h w"]:
    """RGB as gray, gray as RGB; images that have as many channels as are wanted, as they are."""
    if images.shape[-3] == count:
        return images
    if count == GRAY:
        return (images * torch.tensor(LUMA).to(images)[:, None, None]).sum(-3, keepdim=True)
    return images.expand(*images.shape[:-3], count, *images.shape[-2:])


def no_picture(model: nn.Module, count: int) -> str:
    """What to say of a network that takes neither gray nor RGB."""
    return f"{type(model).__name__} takes images of {count} channels; those of 1 (gray) and of 3 (RGB) can be made"


def numbers(value: object) -> tuple[float, ...]:
    """A mean or deviation as it was given: one number, or several. ValueError: it is neither."""
    # of numpy or torch
    value = value.tolist() if isinstance(value, np.ndarray | np.generic | Tensor) else value
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not listed or not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in listed):
        raise ValueError(ALLOWED)
    return tuple(float(number) for number in listed)


def per_channel(values: Sequence[float], count: int) -> tuple[float, ...]:
    """A mean or deviation for each of a picture's channels: one number stands for all, three for gray as their mean.

    ValueError: they are neither one, nor as many as there are channels, nor RGB's.
    """
    if len(values) == count:
        return tuple(values)
    if len(values) == 1:
        return tuple(values) * count
    if len(values) == RGB and count == GRAY:
        return (sum(values) / RGB,)
    channels = "1 channel" if count == 1 else f"{count} channels"
    raise ValueError(f"{len(values)} numbers for a model that takes {channels}; {ALLOWED}")


def _of_convolutions(model: nn.Module) -> Iterator[int]:
    return (module.in_channels for module in model.modules() if isinstance(module, _ConvNd))
