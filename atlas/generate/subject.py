"""The network that `atlas.visualize` looks at: one that is handed over, or one by name, ready to be run and put back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.compose import compose_model
from atlas.zoo.forward import in_eval_mode
from atlas.zoo.load import load

T = TypeVar("T")

# pixels of the images of a network that does not say what it was trained with: ImageNet's
INPUT_SIZE = 224


@dataclass(frozen=True)
class Subject:
    """A network in eval mode, and what its images are."""

    net: nn.Module
    scale: Float[Tensor, "2 3 1 1"]  # mean and deviation of its input, of RGB in [0, 1]
    input_size: int
    device: torch.device
    dtype: torch.dtype
    layout: torch.memory_format


@dataclass(frozen=True)
class InputChanges:
    """What the caller says of the network's input; None: what is known of it."""

    size: int | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None


@contextmanager
def subject_of(model: nn.Module | str, device: str | torch.device | None, changes: InputChanges) -> Iterator[Subject]:
    """The network while it is looked at; ConfigError for an unknown name, ValueError for a mean or std not of three."""
    if isinstance(model, str):
        yield _named(model, device, changes)
        return
    if device is not None:
        model.to(device)
    with in_eval_mode(model):
        where = next((p.device for p in model.parameters()), torch.device(device or "cpu"))
        dtype = next((p.dtype for p in model.parameters()), torch.float32)
        scale = _scale(_given(changes.mean, (0.0, 0.0, 0.0)), _given(changes.std, (1.0, 1.0, 1.0)))
        yield Subject(model, scale, _given(changes.size, INPUT_SIZE), where, dtype, torch.contiguous_format)


def _named(name: str, device: str | torch.device | None, changes: InputChanges) -> Subject:
    config = compose_model(name)
    loaded = load(name, replace(config, input_size=_given(changes.size, config.input_size)), device or "cpu")
    preprocessing = loaded.preprocessing
    scale = _scale(_given(changes.mean, preprocessing.mean), _given(changes.std, preprocessing.std))
    return Subject(loaded.model, scale, loaded.input_size, loaded.device, torch.float32, torch.channels_last)


def _given(value: T | None, otherwise: T) -> T:
    """What the caller said, also where it is 0 or empty and will be refused; else what is known."""
    return otherwise if value is None else value


def _scale(mean: Sequence[float], std: Sequence[float]) -> Float[Tensor, "2 3 1 1"]:
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != 3:
            raise ValueError(f"{name}={values}: three numbers are wanted, for red, green and blue")
    return torch.tensor([list(map(float, values)) for values in (mean, std)])[:, :, None, None]
