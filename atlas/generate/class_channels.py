"""Channels by the names of their classes: a layer and a name, as `zebra`, in; the channel's number out."""

import torch

from atlas.config.class_words import classes_called, nearest_class
from atlas.generate.subject import Subject
from atlas.zoo.forward import Forward


def class_channel(subject: Subject, layer: str, name: str) -> int:
    """The channel of a layer that stands for a class; ValueError where the layer has no classes, or none of this name."""
    with torch.no_grad():
        shape = Forward(subject.net, [layer])(subject.images(1, 0.5))[layer].shape
    names = subject.class_names(shape[1]) if shape[2:] == (1, 1) else None
    if names is None:
        raise ValueError(f"channels={name!r}: {layer} has no classes with names; give numbers, as channels=[0, 5]")
    numbers = classes_called(name, names)
    if not numbers:
        raise ValueError(f"channels={name!r}: no such class; {nearest_class(name, names)}")
    if len(numbers) > 1:
        several = ", ".join(f"{number} ({names[number]})" for number in numbers)
        raise ValueError(f"channels={name!r}: that is several classes; give the number of one: {several}")
    return numbers[0]
