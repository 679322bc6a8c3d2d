"""`atlas saliency`: pictures x models in; of each a map and its overlay as PNG, and a row about them, out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image

from atlas.config.look_checks import saliency_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.schema import SaliencyConfig
from atlas.engine.outcome import Outcome
from atlas.saliency.look import MissingMap, PictureMap, look
from atlas.saliency.maps import overlay
from atlas.store.images import write_pixels
from atlas.store.output import output_mistakes
from atlas.store.paths import safe
from atlas.store.picture_files import NamedPicture, find_pictures, path_for
from atlas.zoo.classes import Classes, class_number, classes_of
from atlas.zoo.load import device_for
from atlas.zoo.one_model import OneModel
from atlas.zoo.sources import architecture


@dataclass(frozen=True)
class MapRow:
    """One map, as stdout tells of it."""

    image: str
    model: str
    category: int
    label: str | None  # the category's name
    score: float  # its logit
    predicted: bool  # whether it is the highest
    probability: float
    map: str  # path of the PNG
    overlay: str


@dataclass
class SaliencyOutcome(Outcome):
    """What `atlas saliency` came to. Failures: why a picture has no map; notes: maps that show nothing."""

    rows: list[MapRow] = field(default_factory=list)


@dataclass(frozen=True)
class Aim:
    """What is asked of one model."""

    classes: Classes
    category: int | None  # None: the predicted one


def saliency_job(config: SaliencyConfig, mistakes: list[str]) -> SaliencyOutcome:
    """Look at every picture with every model; ConfigError, before anything is written, for all that is wrong.

    mistakes: of the command line, known already.
    """
    pictures = _pictures(config, mistakes)
    loader = OneModel(config.models, device_for(config.device))
    aims = _aims(config, loader)
    outcome = SaliencyOutcome()
    for name, aim in aims.items():
        _look_with(loader, name, aim, pictures, config, outcome)
    return outcome


def look_at_all(config: SaliencyConfig) -> Iterator[tuple[str, PictureMap, str | None]]:
    """The same without a file: model, what it saw of a picture, and the category's name. Unreadable pictures are left out."""
    pictures = _pictures(config, [])
    loader = OneModel(config.models, device_for(config.device))
    for name, aim in _aims(config, loader).items():
        for result in look(loader(name), pictures, aim.category, config.batch):
            if isinstance(result, PictureMap):
                yield name, result, aim.classes.label(result.category)


def _pictures(config: SaliencyConfig, mistakes: list[str]) -> list[NamedPicture]:
    """The pictures, once all is checked that needs no model's weights; those named by themselves can be read."""
    wrong = [*mistakes, *saliency_mistakes(config), *output_mistakes(config.out)]
    pictures = collect(wrong, partial(find_pictures, config.image, Path(config.out))) or []
    for picture in pictures:
        if picture.named:
            collect(wrong, partial(_check_readable, picture))
    for name, model in config.models.items():
        collect(wrong, partial(architecture, name, model))
    collect(wrong, partial(device_for, config.device))
    if wrong:
        raise ConfigError(wrong)
    return pictures


def _check_readable(picture: NamedPicture) -> None:
    try:
        picture.read()
    except OSError as error:
        raise ConfigError([f"image={picture.name}: {error}"]) from error


def _aims(config: SaliencyConfig, loader: OneModel) -> dict[str, Aim]:
    """Load every model and try what is asked of it; the first one last, so that it is still held when work begins."""
    mistakes: dict[str, list[str]] = {}
    aims: dict[str, Aim | None] = {}
    for name in reversed(config.models):
        mistakes[name] = []
        aims[name] = collect(mistakes[name], partial(_aim, config, loader, name))
    wrong = [mistake for name in config.models for mistake in mistakes[name]]
    if wrong:
        raise ConfigError(wrong)
    return {name: aim for name in config.models if (aim := aims[name]) is not None}


def _aim(config: SaliencyConfig, loader: OneModel, name: str) -> Aim:
    classes = classes_of(loader(name), config.models[name])
    if config.category is None:
        return Aim(classes, None)
    try:
        return Aim(classes, class_number(config.category, classes.names, classes.count))
    except ConfigError as error:
        raise ConfigError([f"{mistake} (models.{name})" for mistake in error.mistakes]) from None


def _look_with(
    loader: OneModel,
    name: str,
    aim: Aim,
    pictures: list[NamedPicture],
    config: SaliencyConfig,
    outcome: SaliencyOutcome,
) -> None:
    for result in look(loader(name), pictures, aim.category, config.batch):
        if isinstance(result, MissingMap):
            if result.reason not in outcome.failures:  # what cannot be read is met with every model
                outcome.failures.append(result.reason)
            continue
        row = _write(result, name, aim.classes, config)
        outcome.rows.append(row)
        if result.flat:
            outcome.notes.append(
                f"{row.image}, {name}: all pixels matter alike to class {row.category}; its map is black"
            )


def _write(seen: PictureMap, model: str, classes: Classes, config: SaliencyConfig) -> MapRow:
    """Both PNGs, each whole or absent."""
    folder = Path(config.out).expanduser() / safe(model)
    paths = {kind: folder / path_for(seen.picture.label, f"{seen.category}-{kind}.png") for kind in ("map", "overlay")}
    write_pixels(paths["map"], Image.fromarray(seen.map))
    write_pixels(paths["overlay"], Image.fromarray(overlay(seen.pixels, seen.map, config.overlay)))
    return MapRow(
        image=seen.picture.name,
        model=model,
        category=seen.category,
        label=classes.label(seen.category),
        score=seen.score,
        predicted=seen.predicted,
        probability=seen.probability,
        map=str(paths["map"]),
        overlay=str(paths["overlay"]),
    )
