"""The network that `atlas.visualize` looks at: one that is handed over, or one by name, ready to be run and put back."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.compose import compose_model
from atlas.zoo.architecture import no_class_names
from atlas.zoo.classes import class_names
from atlas.zoo.foreign import like, ordinary_weights, reason, training_notes, unreadable, unwrapped
from atlas.zoo.forward import in_eval_mode
from atlas.zoo.input_channels import GRAY, RGB, no_picture, numbers, per_channel, picture_channels
from atlas.zoo.load import load

T = TypeVar("T")

# pixels of the images of a network that does not say what it was trained with: ImageNet's
INPUT_SIZE = 224


@dataclass(frozen=True)
class Subject:
    """A network in eval mode, and what its images are."""

    net: nn.Module
    scale: Float[Tensor, "2 c 1 1"]  # mean and deviation of its input, of RGB in [0, 1], or of gray
    input_size: int
    device: torch.device
    layout: torch.memory_format
    # names of so many classes, of a network by name; None where they have none
    class_names: Callable[[int], Sequence[str] | None] = no_class_names

    @property
    def channels(self) -> int:
        """Of its images."""
        return self.scale.shape[1]

    def images(self, count: int, value: float = 0.0) -> Float[Tensor, "count c s s"]:
        """Images of its own size, all of one gray."""
        return torch.full((count, self.channels, self.input_size, self.input_size), value, device=self.device)


@dataclass(frozen=True)
class InputChanges:
    """What the caller says of the network's input; None: what is known of it."""

    size: int | None = None
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None


@contextmanager
def subject_of(model: nn.Module | str, device: str | torch.device | None, changes: InputChanges) -> Iterator[Subject]:
    """The network while it is looked at; ConfigError for an unknown name, ValueError for what cannot be looked at.

    That is a network that cannot be looked into, one that takes neither gray nor RGB, and a mean or std that is not as
    long as its input has channels.
    """
    if isinstance(model, str):
        yield _named(model, device, changes)
        return
    net = unwrapped(model)
    wrong = unreadable(net)
    if wrong is not None:
        raise ValueError(wrong)
    with ExitStack() as stack:
        try:
            if device is not None:
                net.to(device)
            stack.enter_context(ordinary_weights(net))
            stack.enter_context(in_eval_mode(net))
        except Exception as error:  # other people's code: an exported network, for one, has no eval mode
            raise ValueError(f"{type(net).__name__} cannot be used: {reason(error)}") from error
        size, empty = _given(changes.size, INPUT_SIZE), like(net)
        count = picture_channels(net, size, empty)
        if count not in (GRAY, RGB):
            raise ValueError(no_picture(net, count))
        scale = _scale(_given(changes.mean, (0.0,)), _given(changes.std, (1.0,)), count)
        yield Subject(net, scale, size, empty.device, torch.contiguous_format)
        for note in training_notes(type(net).__name__, net):
            warnings.warn(note, stacklevel=2)


def _named(name: str, device: str | torch.device | None, changes: InputChanges) -> Subject:
    config = compose_model(name)
    loaded = load(name, replace(config, input_size=_given(changes.size, config.input_size)), device or "cpu")
    mean, std = _given(changes.mean, loaded.preprocessing.mean), _given(changes.std, loaded.preprocessing.std)
    scale = _scale(mean, std, loaded.channels)
    names = partial(class_names, name, config)
    return Subject(loaded.model, scale, loaded.input_size, loaded.device, torch.channels_last, names)


def _given(value: T | None, otherwise: T) -> T:
    """What the caller said, also where it is 0 or empty and will be refused; else what is known."""
    return otherwise if value is None else value


def _scale(mean: float | Sequence[float], std: float | Sequence[float], count: int) -> Float[Tensor, "2 c 1 1"]:
    rows = []
    for name, values in (("mean", mean), ("std", std)):
        try:
            rows.append(per_channel(numbers(values), count))
        except ValueError as error:
            raise ValueError(f"{name}={values}: {error}") from None
    return torch.tensor(rows)[:, :, None, None]
