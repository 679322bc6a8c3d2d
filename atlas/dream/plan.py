"""What `atlas dream` is asked: a config in; the picture, and what each model is to do to it, or every mistake, out."""

import gc
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from atlas.config.look_checks import dream_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.schema import DreamConfig, RecipeConfig
from atlas.optvis.metrics import metric_named
from atlas.optvis.objectives import Objective
from atlas.optvis.priors import extent
from atlas.optvis.start import picture_tensor
from atlas.optvis.targets import target_objective
from atlas.records import ModelCard, Target
from atlas.store.output import output_mistakes
from atlas.store.picture_files import NamedPicture, find_pictures
from atlas.sweep.recipe_fit import Material, fit_recipe
from atlas.sweep.selection import Selection, read_selection
from atlas.zoo.card import make_card
from atlas.zoo.load import device_for

SMALLEST = 8  # pixels of a picture's shorter side


@dataclass(frozen=True)
class StartPicture:
    """The picture that every dream begins as."""

    picture: NamedPicture
    pixels: Image.Image  # upright RGB, in the size that was asked for

    @property
    def size(self) -> str:
        return f"{self.pixels.width} x {self.pixels.height}"

    def image(self) -> Float[Tensor, "3 h w"]:
        """RGB in [0, 1]."""
        return picture_tensor(self.pixels)


@dataclass(frozen=True)
class DrivenChannels:
    """Channels of one layer, each of which is driven in the same way."""

    layer: str
    target: Target
    metric: str
    constant: float | None
    channels: tuple[int, ...]
    classes: tuple[str, ...]  # names of all the layer's channels; none where they are no classes

    def objective(self, channels: Int[Tensor, " b"]) -> Objective:
        """Drive one of the channels for each image."""
        return target_objective(self.target, self.layer, channels, metric_named(self.metric, self.constant))

    @property
    def layers(self) -> list[str]:
        """All that a forward pass must reach."""
        return [self.layer, *(partner.layer for partner in self.target.features)]


@dataclass(frozen=True)
class ModelDreams:
    """What is asked of one model."""

    card: ModelCard
    recipe: RecipeConfig  # every size and step count filled in
    aims: tuple[DrivenChannels, ...]


@dataclass(frozen=True)
class DreamPlan:
    """The picture, and what is asked of each model."""

    start: StartPicture
    models: dict[str, ModelDreams]

    def channels(self, model: str) -> int:
        """How many dreams a model is to make."""
        return sum(len(aim.channels) for aim in self.models[model].aims)


def plan_dreams(config: DreamConfig, mistakes: list[str]) -> DreamPlan:
    """The plan of a config; ConfigError with all that is wrong. mistakes: known already."""
    wrong = [*mistakes, *dream_mistakes(config), *output_mistakes(config.out)]
    start = collect(wrong, partial(_start, config))
    collect(wrong, partial(device_for, config.device))
    cards = _cards(config, wrong)
    selection = collect(wrong, partial(read_selection, config, cards, sized=False))
    if start is not None:
        for card in cards.values():
            collect(wrong, partial(_fitted, config, card, start))
    if wrong or start is None or selection is None:
        raise ConfigError(wrong)
    return DreamPlan(start, {name: _dreams(config, card, start, selection) for name, card in cards.items()})


def _start(config: DreamConfig) -> StartPicture:
    """The picture as it is, or with the longer side that was asked for."""
    if Path(config.image).expanduser().is_dir():
        raise ConfigError([f"image={config.image}: is a folder; a dream begins as one picture, as image=cat.jpg"])
    picture = find_pictures(config.image)[0]
    try:
        pixels = picture.read()
    except OSError as error:
        raise ConfigError([f"image={picture.name}: {error}"]) from error
    if config.size is not None:
        height, width = extent(pixels.height, pixels.width, max(config.size, 1))
        pixels = pixels.resize((width, height), Image.Resampling.LANCZOS)
    start = StartPicture(picture, pixels)
    if min(pixels.size) < SMALLEST:
        raise ConfigError([f"image={picture.name}: {start.size} pixels; at least {SMALLEST} are wanted on each side"])
    return start


def _cards(config: DreamConfig, mistakes: list[str]) -> dict[str, ModelCard]:
    """The cards that can be made; of their models no two are held at once."""
    cards: dict[str, ModelCard] = {}
    for place, (name, model) in enumerate(config.models.items()):
        if place > 0:
            gc.collect()  # some models refer to themselves
        card = collect(mistakes, partial(make_card, name, model))
        if card is not None:
            cards[name] = card
    return cards


def _fitted(config: DreamConfig, card: ModelCard, start: StartPicture) -> RecipeConfig:
    """The recipe for this picture and model."""
    width, height = start.pixels.size
    side = card.input_size
    if not card.resizable and (width, height) != (side, side):
        only = f"{card.name} takes images of {side} x {side} pixels only, and this is {start.size}"
        raise ConfigError([f"image={start.picture.name}: {only}; cut it square, and give size={side}"])
    return fit_recipe(
        replace(config.recipe, picture=start.picture.name),
        card.name,
        input_size=side,
        grows=card.resizable,
        steps=config.models[card.name].steps,
        material=Material(start.picture.name, (height, width)),
        device=device_for(config.device),
    )


def _dreams(config: DreamConfig, card: ModelCard, start: StartPicture, selection: Selection) -> ModelDreams:
    each = product(selection.layers(card), selection.targets, config.metrics)
    aims = []
    for layer, target, metric in each:
        channels, constant = selection.channels(card, layer), config.metrics[metric].constant
        aims.append(DrivenChannels(layer.name, target, metric, constant, channels, layer.classes))
    return ModelDreams(card, _fitted(config, card, start), tuple(aims))
