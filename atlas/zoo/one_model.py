"""Models that are needed one after the other, of which no two are ever held at once."""

import gc
from dataclasses import dataclass

import torch
from torch import Tensor

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.classes import Names, class_names
from atlas.zoo.load import Loaded, load


class OneModel:
    """Loads models by name, and lets go of each before it loads the next."""

    def __init__(self, models: dict[str, ModelConfig], device: str) -> None:
        self.models, self.device = models, device
        self._held: Loaded | None = None

    def __call__(self, name: str) -> Loaded:
        """The model; whoever asked for another before must not keep that."""
        if self._held is None or self._held.name != name:
            self._held = None
            gc.collect()  # some models refer to themselves
            self._held = load(name, self.models[name], self.device)
        return self._held


def device_for(asked: str) -> str:
    """`cpu` or `cuda`, as `device=` says, or as the machine has it; ConfigError where it has no GPU."""
    if asked == "cuda" and not torch.cuda.is_available():
        raise ConfigError(["device=cuda: no GPU can be used here; take device=cpu"])
    return asked if asked != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Classes:
    """What a classifier tells apart."""

    count: int
    names: Names | None

    def label(self, number: int) -> str | None:
        return None if self.names is None else self.names[number]


def classes_of(loaded: Loaded, config: ModelConfig) -> Classes:
    """The classes of a model, as its answer to a black image shows; ConfigError where that is no row of scores."""
    size = loaded.input_size
    image = loaded.preprocess(torch.zeros(1, 3, size, size, device=loaded.device))
    try:
        with torch.no_grad():
            scores = loaded.model(image)
    except Exception as error:  # other people's code: anything can come out of it
        said = f"{type(error).__name__}: {error}"
        raise ConfigError(
            [f"models.{loaded.name} cannot look at an image of {size} x {size} pixels: {said}"]
        ) from error
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != 1 or scores.shape[1] < 2:
        what = (
            f"a tensor of shape {tuple(scores.shape)}"
            if isinstance(scores, Tensor)
            else f"an object of type {type(scores).__name__}"
        )
        wanted = "a row of scores for each picture, one score for each of at least two classes, (1, classes), is wanted"
        raise ConfigError([f"models.{loaded.name} gives {what} for one picture: {wanted}"])
    return Classes(scores.shape[1], class_names(loaded.name, config, scores.shape[1]))
