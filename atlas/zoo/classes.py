"""The classes of a classifier: how many there are, their names, and the one that a number or a name means."""

from dataclasses import dataclass

import torch

from atlas.config.class_file import read_class_file
from atlas.config.class_words import classes_called, nearest_class
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.foreign import foreign
from atlas.zoo.load import Loaded
from atlas.zoo.logits import logits_in
from atlas.zoo.sources import architecture

Names = tuple[str, ...]


@dataclass(frozen=True)
class Classes:
    """What a classifier tells apart."""

    count: int
    names: Names | None

    def label(self, number: int) -> str | None:
        """The name of a class; None where classes have none."""
        return None if self.names is None else self.names[number]


def classes_of(loaded: Loaded, config: ModelConfig) -> Classes:
    """The classes of a model, counted on its answer to a black image; ConfigError where that is no row of scores."""
    size = loaded.input_size
    image = loaded.preprocess(torch.zeros(1, loaded.channels, size, size, device=loaded.device))
    with foreign(loaded.name, f"cannot look at an image of {size} x {size} pixels"), torch.no_grad():
        output = loaded.model(image)
    scores = logits_in(output)
    if scores is None or scores.ndim != 2 or len(scores) != 1 or scores.shape[1] < 2:
        kind = f"an object of type {type(output).__name__} without a tensor in it"
        what = kind if scores is None else f"a tensor of shape {tuple(scores.shape)}"
        wanted = "a row of scores for each picture, one score for each of at least two classes, (1, classes), is wanted"
        raise ConfigError([f"models.{loaded.name} gives {what} for one picture: {wanted}"])
    return Classes(scores.shape[1], class_names(loaded.name, config, scores.shape[1]))


def class_names(name: str, config: ModelConfig, count: int) -> Names | None:
    """Names of the `count` outputs of `models.<name>`: its file's, or its source's; None where that does not tell them.

    ConfigError: the file of names is wrong.
    """
    if config.classes is not None:
        return read_class_file(f"models.{name}.classes", config.classes, count)
    names = architecture(name, config).class_names(count)
    return tuple(names) if names is not None and len(names) == count else None


def class_number(category: int | str, names: Names | None, count: int) -> int:
    """The number of the class that a number or a name means; ConfigError, with what is allowed, where there is none."""
    text = str(category).strip()
    if text.lstrip("+-").isdecimal():
        if not 0 <= int(text) < count:
            raise ConfigError([f"category={category}: there are {count} classes, 0 to {count - 1}"])
        return int(text)
    if names is None:
        raise ConfigError([f"category={category}: these classes have no names; give a number, 0 to {count - 1}"])
    numbers = classes_called(text, names)
    if len(numbers) > 1:
        numbered = ", ".join(f"{number} ({names[number]})" for number in numbers)
        raise ConfigError([f"category={category}: that is several classes; give the number of one: {numbered}"])
    if not numbers:
        raise ConfigError([f"category={category}: no such class; {nearest_class(text, names)}"])
    return numbers[0]
