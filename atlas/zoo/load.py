"""Loads a model: a ModelConfig in; out the model on its device, frozen, with its preprocessing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.torch_state import own_torch_state
from atlas.zoo.architecture import Preprocessing
from atlas.zoo.cut import CutForward
from atlas.zoo.foreign import foreign, frozen, like
from atlas.zoo.forward import Forward
from atlas.zoo.input_channels import GRAY, RGB, in_channels, no_picture, per_channel, picture_channels
from atlas.zoo.logits import logits_in
from atlas.zoo.sources import architecture
from atlas.zoo.weights import digest, weighted, weights_file, weights_label


@dataclass(frozen=True)
class Loaded:
    """A model on its device, with what belongs to it. Batch norm is not folded in it: any layer may be wanted."""

    name: str
    model: nn.Module
    preprocessing: Preprocessing
    digest: str  # of everything of the model that reaches a pixel
    weights: str  # where they came from, for people
    device: torch.device
    file: str | None = None  # that they were read from; None: nobody knows of one

    @property
    def channels(self) -> int:
        """Of the pictures that it takes: 3 of RGB, 1 of gray."""
        return len(self.preprocessing.mean)

    @property
    def input_size(self) -> int:
        """Side of the images that the model was trained with, in pixels."""
        return self.preprocessing.input_size

    def preprocess(self, images: Float[Tensor, "b _ h w"]) -> Float[Tensor, "b c h w"]:
        """Normalise RGB in [0, 1], or gray, as the model takes it: in its own number of channels."""
        mean, std = self.scale
        return (in_channels(images, self.channels) - mean.to(images)) / std.to(images)

    @cached_property
    def scale(self) -> Float[Tensor, "2 c 1 1"]:
        """Mean and deviation, kept on the device: a copy to it at every step would wait for all work under way."""
        numbers = [self.preprocessing.mean, self.preprocessing.std]
        return torch.tensor(numbers, dtype=torch.float32, device=self.device)[:, :, None, None]

    def logits(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        """Class scores of preprocessed images. TypeError: the model returns no tensor."""
        output = self.model(images)
        scores = logits_in(output)
        if scores is None:
            raise TypeError(
                f"models.{self.name} returns an object of type {type(output).__name__} without a tensor in it"
            )
        return scores

    def forward(self, layers: Iterable[str]) -> Forward:
        """The model up to the last of `layers`; it takes preprocessed images. ValueError: there is no such layer."""
        return Forward(self.model, layers)

    def cut(self, layers: Iterable[str], *, folded: bool, compiled: bool = False) -> CutForward:
        """The same for many steps; folded: batch norms too, which rounds otherwise; compiled: by torch's compiler."""
        return CutForward(self.forward(layers), folded=folded, compiled=compiled)


def load(name: str, config: ModelConfig, device: str | torch.device = "cpu") -> Loaded:
    """Build `models.<name>`, give it its weights and freeze it, in float32; ConfigError where that cannot be.

    Convolutions lie in memory with their channels last: on two CPU cores GoogLeNet runs in 0.65 of the time that way.
    """
    device = torch.device(device)
    with own_torch_state():
        built = architecture(name, config)
        with foreign(name, "cannot be used"):
            model = frozen(weighted(name, config, built))
            built = replace(built, preprocessing=_for_its_channels(name, config, model, built.preprocessing))
            total = digest(model.state_dict(), built, config.kwargs)
            model = model.to(device, torch.float32)
            if device.type in ("cpu", "cuda"):
                model = model.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]
    return Loaded(
        name, model, built.preprocessing, total, weights_label(config), device, file=weights_file(config, built)
    )


def _for_its_channels(name: str, config: ModelConfig, model: nn.Module, before: Preprocessing) -> Preprocessing:
    """Mean and deviation for as many channels as the model takes; ConfigError where no picture has so many."""
    count = picture_channels(model, before.input_size, like(model))
    if count not in (GRAY, RGB):
        raise ConfigError([f"models.{name}: {no_picture(model, count)}"])
    scale, mistakes = {}, list[str]()
    for key in ("mean", "std"):
        try:
            scale[key] = per_channel(getattr(before, key), count)
        except ValueError as error:
            mistakes.append(f"models.{name}.{key}={getattr(config, key)!r}: {error}")
    if mistakes:
        raise ConfigError(mistakes)
    return before._replace(**scale)


def device_for(request: str) -> str:
    """`cpu` or `cuda`, as `device=` says, or for `auto` as the machine has it; ConfigError where it has no GPU."""
    if request == "cuda" and not torch.cuda.is_available():
        raise ConfigError(["device=cuda: no GPU can be used here; take device=cpu"])
    return request if request != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
