"""`atlas saliency`: pictures x models in; of each, maps and overlays as PNG, and rows about them, out."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from atlas.config.look_checks import methods_of, saliency_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.schema import SaliencyConfig
from atlas.engine.outcome import Outcome
from atlas.engine.progress import LINE_EVERY, Count, display_for
from atlas.engine.signals import StopNow
from atlas.engine.threads import worker_threads
from atlas.saliency.cam_layer import cam_layer
from atlas.saliency.look import MissingMap, PictureMap, Question, look
from atlas.saliency.maps import overlay
from atlas.saliency.methods import Settings
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
    method: str
    map: str  # path of the PNG
    overlay: str
    panel: str  # of all methods' maps of the picture, with its class


@dataclass
class SaliencyOutcome(Outcome):
    """What `atlas saliency` came to. Failures: why a picture has no map; notes: maps that show nothing."""

    rows: list[MapRow] = field(default_factory=list)


@dataclass(frozen=True)
class Aim:
    """What is asked of one model."""

    classes: Classes
    question: Question


Panel = Callable[
    [list[MapRow], list[PictureMap]], object
]  # a picture's maps that are written, one row and map a method


def saliency_job(config: SaliencyConfig, mistakes: list[str], panel: Panel) -> SaliencyOutcome:
    """Look at every picture with every model; ConfigError, before anything is written, for all that is wrong.

    mistakes: of the command line, known already. panel: draws each picture's maps together, as soon as they are written.
    A signal ends it between two pictures or within one, and what is written stays.
    """
    pictures = _pictures(config, mistakes)
    loader = OneModel(config.models, device_for(config.device))
    torch.set_num_threads(worker_threads(config.threads, loader.device))
    aims = _aims(config, loader)
    outcome, count = SaliencyOutcome(), Count(total := len(pictures) * len(aims), total, unit="pictures")
    with closing(display_for(count, silence=LINE_EVERY)) as display:
        try:
            for name, aim in aims.items():
                for results in look(loader(name), pictures, aim.question, config.batch):
                    _keep(results, name, aim.classes, config=config, outcome=outcome, panel=panel)
                    failed = any(isinstance(result, MissingMap) for result in results)
                    count.add(done=not failed, failed=failed)
                    display.show(count, name)
        except StopNow:
            again = "run the same again to look at all of them"
            outcome.stopped = f"stopped: {count.settled} of {count.total} pictures are looked at; {again}"
    return outcome


def look_at_all(config: SaliencyConfig) -> Iterator[tuple[str, PictureMap, str | None]]:
    """The same without a file: model, what it saw of a picture, and the category's name. Unreadable pictures are left out."""
    pictures = _pictures(config, [])
    loader = OneModel(config.models, device_for(config.device))
    for name, aim in _aims(config, loader).items():
        for results in look(loader(name), pictures, aim.question, config.batch):
            for result in results:
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
    loaded, wrong = loader(name), list[str]()
    classes = classes_of(loaded, config.models[name])
    category = collect(wrong, partial(_category, config.category, classes, name))
    methods = methods_of(config.method)
    layer = collect(wrong, partial(cam_layer, loaded, config.layer)) if "grad_cam" in methods else None
    if wrong:
        raise ConfigError(wrong)
    settings = Settings(layer, config.samples, config.noise, config.batch)
    return Aim(classes, Question(category, methods, settings))


def _category(category: int | str | None, classes: Classes, name: str) -> int | None:
    if category is None:
        return None
    try:
        return class_number(category, classes.names, classes.count)
    except ConfigError as error:
        raise ConfigError([f"{mistake} (models.{name})" for mistake in error.mistakes]) from None


def _keep(
    results: list[PictureMap | MissingMap],
    model: str,
    classes: Classes,
    *,
    config: SaliencyConfig,
    outcome: SaliencyOutcome,
    panel: Panel,
) -> None:
    """Write what one model makes of one picture, and tell of what is missing."""
    missing = [result.reason for result in results if isinstance(result, MissingMap)]
    # what cannot be read is met with every model, and a score that is not finite with every method
    outcome.failures += [reason for reason in dict.fromkeys(missing) if reason not in outcome.failures]
    maps = [result for result in results if isinstance(result, PictureMap)]
    rows = [_write(seen, model, classes, config) for seen in maps]
    if rows:
        panel(rows, maps)
    outcome.rows += rows
    for row, seen in zip(rows, maps, strict=True):
        if seen.flat:
            outcome.notes.append(f"{row.image}, {model}{_told(seen.method)}: {_flat(row)}")


def _told(method: str) -> str:
    return "" if method == "gradient" else f", {method}"


def _flat(row: MapRow) -> str:
    return f"all pixels matter alike to class {row.category}; its map is black"


def _write(seen: PictureMap, model: str, classes: Classes, config: SaliencyConfig) -> MapRow:
    """Both PNGs, each whole or absent."""
    folder = Path(config.out).expanduser() / safe(model)
    stem = f"{seen.category}" if seen.method == "gradient" else f"{seen.category}-{seen.method}"
    endings = {"map": f"{stem}-map", "overlay": f"{stem}-overlay", "panel": f"{seen.category}-panel"}
    paths = {kind: folder / path_for(seen.picture.label, f"{ending}.png") for kind, ending in endings.items()}
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
        method=seen.method,
        map=str(paths["map"]),
        overlay=str(paths["overlay"]),
        panel=str(paths["panel"]),
    )
