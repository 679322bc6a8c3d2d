"""One model that dreams: a picture and channels in; of each what became of the picture, or why nothing did, out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from PIL import Image
from torch import Tensor

from atlas.config.schema import RecipeConfig
from atlas.dream.dream_files import DreamFiles, Record
from atlas.dream.plan import DrivenChannels, ModelDreams, StartPicture
from atlas.dream.progress import Going, Journal
from atlas.engine.memory import budget, images_at_once, in_batches
from atlas.optvis.batch import Keep
from atlas.optvis.make import Canvas, FinishedImages, make_images, may_fold, one_at_a_time
from atlas.optvis.optimize import between
from atlas.optvis.schedule import schedule_of
from atlas.optvis.spaces import space_of
from atlas.records import Address, Item
from atlas.store.images import to_pil
from atlas.sweep.identity import noise_seed
from atlas.zoo.cut import CutForward
from atlas.zoo.input_channels import in_channels
from atlas.zoo.load import Loaded


@dataclass(frozen=True)
class Dream:
    """What became of the picture; all of it is on disk."""

    feature: Address
    aim: DrivenChannels
    record: Record
    files: DreamFiles


@dataclass(frozen=True)
class MissingDream:
    """A channel that nothing came of."""

    feature: Address
    reason: str
    dead: bool  # no fault: the network is silent


@dataclass(frozen=True)
class Folder:
    """Where dreams are kept, and how often."""

    every: int  # steps between two frames
    files: Callable[[DrivenChannels, int], DreamFiles]  # of a channel


def dream(
    loaded: Loaded, dreams: ModelDreams, start: StartPicture, *, folder: Folder, going: Going
) -> Iterator[Dream | MissingDream]:
    """Change the picture for every channel; as many at once as fit in memory, or each alone.

    What an earlier run has finished is not made again, and what it had begun goes on where it was. Where images are
    made alone they and the weights lie in memory as in the lab's code: the arithmetic is then its own. Stopped: a
    signal has asked for an end.
    """
    by_itself = one_at_a_time(dreams.recipe, loaded.device.type)
    layout = torch.contiguous_format if by_itself else torch.channels_last
    loaded.model.to(memory_format=layout)  # pyrefly: ignore[no-matching-overload]
    image = in_channels(start.image(), loaded.channels)
    for aim in dreams.aims:
        size = 1 if by_itself else _together(dreams, aim, image, loaded.device.type)
        canvas = Canvas(loaded.scale, loaded.device, layout, picture=image)
        forward = loaded.cut(aim.layers, folded=may_fold(dreams.recipe))
        work = partial(_dream, forward, dreams, aim, canvas=canvas, folder=folder, going=going)
        for batch in in_batches(aim.channels, size, work, loaded.device.type):
            if batch.result is None:
                feature = Address(loaded.name, aim.layer, batch.items[0])
                yield MissingDream(feature, f"it does not fit the memory there is: {batch.error}", dead=False)
            else:
                yield from batch.result


def faded(loaded: Loaded, recipe: RecipeConfig, start: StartPicture) -> Image.Image:
    """The picture as weight decay alone would leave it."""
    space = space_of(recipe.space, loaded.scale)
    image = in_channels(start.image()[None], loaded.channels).to(loaded.scale)
    return to_pil(space.show(space.enter(image) * _kept(recipe))[0].cpu().numpy())


def steps_of(recipe: RecipeConfig) -> int:
    """Steps of one dream."""
    return sum(octave.steps or 0 for octave in recipe.octaves)


def _together(dreams: ModelDreams, aim: DrivenChannels, image: Tensor, device: str) -> int:
    """Pictures at once whose activations will fit."""
    height, width = image.shape[1:]
    widest = max(layer.bytes for layer in dreams.card.every if layer.name in aim.layers)
    aspect = min(height, width) / max(height, width)
    return images_at_once(widest, dreams.card.input_size, dreams.recipe, room=budget(device, 1.0), aspect=aspect)


def _dream(
    forward: CutForward,
    dreams: ModelDreams,
    aim: DrivenChannels,
    channels: Sequence[int],
    *,
    canvas: Canvas,
    folder: Folder,
    going: Going,
) -> list[Dream | MissingDream]:
    """The dreams of some channels, read where they are finished, else made together."""
    features = [Address(dreams.card.name, aim.layer, channel) for channel in channels]
    files = [folder.files(aim, channel) for channel in channels]
    records = [each.finished() for each in files]
    if all(record is not None for record in records):
        going.count.skip(len(channels) * steps_of(dreams.recipe))
        triples = zip(features, records, files, strict=True)
        return [Dream(feature, aim, record, kept) for feature, record, kept in triples if record is not None]
    name = str(features[0]) if len(features) == 1 else f"{features[0]} and {len(features) - 1} more"
    journal = Journal(files, name, steps_of(dreams.recipe), going)
    images = make_images(
        forward,
        aim.objective(torch.tensor(channels, device=canvas.device)),
        dreams.recipe,
        seeds=[noise_seed(aim.layer, Item(channel, 0)) for channel in channels],
        canvas=canvas,
        keep=Keep(frames=folder.every, watch=journal.watch, begun=journal.begun),
    )
    results = [_finish(images, number, feature, aim, journal) for number, feature in enumerate(features)]
    journal.close()
    return results


def _kept(recipe: RecipeConfig) -> float:
    """The part of its values that weight decay leaves a picture, where no gradient is scaled up beside it."""
    octaves = schedule_of(recipe).octaves
    rates = [between(octave.lr, number, octave.steps) for octave in octaves for number in range(octave.steps)]
    return prod(1 - rate * recipe.weight_decay for rate in rates) if recipe.optimizer == "sgd" else 1.0


def _finish(
    images: FinishedImages, number: int, feature: Address, aim: DrivenChannels, journal: Journal
) -> Dream | MissingDream:
    files, steps = journal.files[number], images.steps[number]
    if images.status[number] != "ok":
        files.clear()
    if images.status[number] == "dead":
        return MissingDream(feature, "no gradient reaches the picture", dead=True)
    if images.status[number] != "ok":
        reason = f"picture or loss was no longer finite after {steps} steps"
        return MissingDream(feature, f"{reason}; lower the recipe's lr, or use recipe=dream_normalized", dead=False)
    record = Record(
        steps=steps,
        score_start=images.trace[number][0],
        score=float(images.scores[number]),
        frames=(*journal.frames[number], steps),
    )
    files.finish(record, to_pil(images.images[number].float().cpu().numpy()))
    return Dream(feature, aim, record, files)
