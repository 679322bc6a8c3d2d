"""A look before the work: each model sees the picture once, in every size, and its maps must hold the targets."""

import torch
from torch import Tensor

from atlas.config.mistakes import ConfigError
from atlas.dream.plan import DreamPlan, DrivenChannels, ModelDreams, StartPicture
from atlas.optvis.gradients import NoGradient
from atlas.optvis.priors import resize
from atlas.optvis.spaces import space_of
from atlas.zoo.foreign import reason
from atlas.zoo.input_channels import in_channels
from atlas.zoo.load import Loaded
from atlas.zoo.one_model import OneModel


def try_models(plan: DreamPlan, loader: OneModel) -> None:
    """Show each model the picture; ConfigError where it cannot take that, or its maps do not hold the targets.

    The first model comes last, so that it is still held when work begins.
    """
    wrong = {name: _trial(loader(name), plan.models[name], plan.start) for name in reversed(plan.models)}
    mistakes = [mistake for name in plan.models for mistake in wrong[name]]
    if mistakes:
        raise ConfigError(mistakes)


def _trial(loaded: Loaded, dreams: ModelDreams, start: StartPicture) -> list[str]:
    """What is wrong when a model sees the picture in each size of the recipe."""
    forward = loaded.forward([layer for aim in dreams.aims for layer in aim.layers])
    space = space_of(dreams.recipe.space, loaded.scale)
    image, wrong = in_channels(start.image()[None].to(loaded.device), loaded.channels), list[str]()
    for number, size in enumerate(dict.fromkeys(octave.size or 0 for octave in dreams.recipe.octaves)):
        image = resize(image, size)
        shape = f"{image.shape[3]} x {image.shape[2]}"
        try:
            # once with gradients, to see whether any leads back
            with torch.set_grad_enabled(number == 0):
                maps = forward(space.feed(space.enter(image.detach().clone().requires_grad_(number == 0).clone())))
        except Exception as error:  # other people's code: anything can come out of it
            what = f"image={start.picture.name}: {loaded.name} cannot take it at {shape} pixels"
            wrong.append(f"{what}: {reason(error)}")
            continue
        cut = [layer for layer, values in maps.items() if number == 0 and not values.requires_grad]
        wrong += [f"layers={layer}: of {loaded.name}, {NoGradient()}" for layer in cut]
        wrong += [f"{text} at {shape} pixels" for aim in dreams.aims for text in _room(loaded.name, aim, maps)]
    return wrong


def _room(model: str, aim: DrivenChannels, maps: dict[str, Tensor]) -> list[str]:
    """What the target says of a map that is too small for it."""
    first = torch.zeros(1, dtype=torch.long, device=maps[aim.layer].device)
    try:
        aim.objective(first).read(maps, first)
    except ValueError as error:
        return [f"{error}, {model}/{aim.layer}"]
    return []
