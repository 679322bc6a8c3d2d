"""One model that dreams: a picture and channels in; of each what became of the picture, or why nothing did, out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from PIL import Image
from torch import Tensor

from atlas.config.schema import RecipeConfig
from atlas.dream.plan import Aim, ModelDreams, StartPicture
from atlas.engine.memory import budget, images_at_once, in_batches
from atlas.optvis.batch import Keep
from atlas.optvis.make import Canvas, FinishedImages, make_images, one_at_a_time
from atlas.optvis.optimize import between
from atlas.optvis.schedule import schedule_of
from atlas.optvis.spaces import space_of
from atlas.records import Address, Item
from atlas.store.images import to_pil
from atlas.sweep.identity import noise_seed
from atlas.zoo.load import Loaded


@dataclass(frozen=True)
class Dream:
    """What became of the picture."""

    feature: Address
    aim: Aim
    steps: int
    score_start: float
    score: float  # mean activation of the target on the finished picture
    frames: list[tuple[int, Image.Image]]  # after so many steps; the last is the finished picture
    faded: Image.Image  # the picture as weight decay alone would have left it


@dataclass(frozen=True)
class MissingDream:
    """A channel that nothing came of."""

    feature: Address
    reason: str
    dead: bool  # no fault: the network is silent


def dream(loaded: Loaded, dreams: ModelDreams, start: StartPicture, frames: int) -> Iterator[Dream | MissingDream]:
    """Change the picture for every channel; as many at once as fit in memory, or each alone.

    Where images are made alone they and the weights lie in memory as in the lab's code: the arithmetic is then its own.
    """
    by_itself = one_at_a_time(dreams.recipe, loaded.device.type)
    layout = torch.contiguous_format if by_itself else torch.channels_last
    loaded.model.to(memory_format=layout)  # pyrefly: ignore[no-matching-overload]
    image = start.image()
    for aim in dreams.aims:
        size = 1 if by_itself else _together(dreams, aim, image, frames, loaded.device.type)
        work = partial(_make, loaded, dreams, aim, image=image, layout=layout, frames=frames)
        for batch in in_batches(aim.channels, size, work, loaded.device.type):
            if batch.result is None:
                feature = Address(loaded.name, aim.layer, batch.items[0])
                yield MissingDream(feature, f"it does not fit the memory there is: {batch.error}", dead=False)
            else:
                yield from batch.result


def _together(dreams: ModelDreams, aim: Aim, image: Tensor, frames: int, device: str) -> int:
    """Pictures at once whose activations and frames will fit."""
    height, width = image.shape[1:]
    widest = max(layer.bytes for layer in dreams.card.layers if layer.name in aim.layers)
    kept = sum(octave.steps or 0 for octave in dreams.recipe.octaves) // frames + 1
    aspect = min(height, width) / max(height, width)
    size = dreams.card.input_size
    return images_at_once(widest, size, dreams.recipe, room=budget(device, 1.0), frames=kept, aspect=aspect)


def _make(
    loaded: Loaded,
    dreams: ModelDreams,
    aim: Aim,
    channels: Sequence[int],
    *,
    image: Tensor,
    layout: torch.memory_format,
    frames: int,
) -> list[Dream | MissingDream]:
    recipe, scale = dreams.recipe, loaded.scale
    images = make_images(
        loaded.forward(aim.layers),
        aim.objective(torch.tensor(channels, device=loaded.device)),
        recipe,
        seeds=[noise_seed(aim.layer, Item(channel, 0)) for channel in channels],
        canvas=Canvas(scale, loaded.device, layout, picture=image),
        keep=Keep(frames=frames),
    )
    space = space_of(recipe.space, scale)
    faded = to_pil(space.show(space.enter(image[None]) * _kept(recipe))[0].numpy())
    features = [Address(loaded.name, aim.layer, channel) for channel in channels]
    return [_outcome(images, number, feature, aim, faded) for number, feature in enumerate(features)]


def _kept(recipe: RecipeConfig) -> float:
    """The part of its values that weight decay leaves a picture, where no gradient is scaled up beside it."""
    octaves = schedule_of(recipe).octaves
    rates = [between(octave.lr, number, octave.steps) for octave in octaves for number in range(octave.steps)]
    return prod(1 - rate * recipe.weight_decay for rate in rates) if recipe.optimizer == "sgd" else 1.0


def _outcome(
    images: FinishedImages, number: int, feature: Address, aim: Aim, faded: Image.Image
) -> Dream | MissingDream:
    if images.status[number] == "dead":
        return MissingDream(feature, "no gradient reaches the picture", dead=True)
    if images.status[number] != "ok":
        reason = f"picture or loss was no longer finite after {images.steps[number]} steps"
        return MissingDream(feature, f"{reason}; lower the recipe's lr, or use recipe=dream_normalized", dead=False)
    return Dream(
        feature=feature,
        aim=aim,
        steps=images.steps[number],
        score_start=images.trace[number][0],
        score=float(images.scores[number]),
        frames=[(step, to_pil(frame.float().cpu().numpy())) for step, frame in images.frames[number]],
        faded=faded,
    )
