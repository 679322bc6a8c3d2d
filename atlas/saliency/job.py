"""`atlas saliency`: pictures x models in; of each, maps and overlays as PNG, and rows about them, out."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from atlas.config.look_checks import saliency_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.rules import distinct
from atlas.config.schema import SaliencyConfig
from atlas.engine.allocator import keep_freed_memory
from atlas.engine.outcome import Outcome
from atlas.engine.progress import Count, display_for
from atlas.engine.signals import StopNow
from atlas.engine.threads import worker_threads
from atlas.saliency.cam_layer import cam_layer
from atlas.saliency.look import MapRequest, MissingMap, PictureMap, look
from atlas.saliency.maps import saliency
from atlas.saliency.methods import Settings
from atlas.saliency.saliency_files import MapFiles, MapRow, Panel
from atlas.store.output import output_mistakes
from atlas.store.picture_files import NamedPicture, find_pictures
from atlas.zoo.classes import Classes, class_number, classes_of
from atlas.zoo.foreign import foreign, training_notes
from atlas.zoo.load import device_for
from atlas.zoo.one_model import OneModel
from atlas.zoo.sources import architecture


@dataclass
class SaliencyOutcome(Outcome):
    """What `atlas saliency` came to. Failures: why a picture has no map; notes: maps that show nothing."""

    rows: list[MapRow] = field(default_factory=list)

    def take(self, results: list[PictureMap | MissingMap], rows: list[MapRow]) -> None:
        """Tell of what one model made of one picture; rows: of its maps, which are written."""
        missing = [result.reason for result in results if isinstance(result, MissingMap)]
        # what cannot be read is met with every model, and a score that is not finite with every method
        self.failures += [reason for reason in dict.fromkeys(missing) if reason not in self.failures]
        self.rows += rows
        maps = (result for result in results if isinstance(result, PictureMap))
        self.notes += [_flat(row) for row, picture_map in zip(rows, maps, strict=True) if picture_map.flat]


def saliency_job(config: SaliencyConfig, mistakes: list[str], panel: Panel) -> SaliencyOutcome:
    """Look at every picture with every model; ConfigError, before anything is written, for all that is wrong.

    mistakes: of the command line, known already. panel: draws each picture's maps together, as soon as they are written.
    A signal ends it between two pictures or within one, and what is written stays.
    """
    pictures = _pictures(config, mistakes)
    loader = OneModel(config.models, device_for(config.device))
    torch.set_num_threads(worker_threads(config.threads, loader.device))
    keep_freed_memory()
    requests = _requests(config, loader)
    files = MapFiles(Path(config.out).expanduser(), config.overlay, panel)
    outcome, count = SaliencyOutcome(), Count(total := len(pictures) * len(requests), total, unit="pictures")
    with closing(display_for(count)) as display:
        display.show(count, "starting")
        try:
            for name, request in requests.items():
                outcome.notes += training_notes(name, loader(name).model)
                for results in look(loader(name), pictures, request, config.batch):
                    maps = [result for result in results if isinstance(result, PictureMap)]
                    outcome.take(results, files.write(maps, name, request.classes))
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
    for name, request in _requests(config, loader).items():
        for results in look(loader(name), pictures, request, config.batch):
            for result in results:
                if isinstance(result, PictureMap):
                    yield name, result, request.classes.label(result.category)


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


def _requests(config: SaliencyConfig, loader: OneModel) -> dict[str, MapRequest]:
    """Load every model and try what is asked of it; the first one last, so that it is still held when work begins."""
    mistakes: dict[str, list[str]] = {}
    requests: dict[str, MapRequest | None] = {}
    for name in reversed(config.models):
        mistakes[name] = []
        requests[name] = collect(mistakes[name], partial(_request, config, loader, name))
    wrong = [mistake for name in config.models for mistake in mistakes[name]]
    if wrong:
        raise ConfigError(wrong)
    return {name: request for name in config.models if (request := requests[name]) is not None}


def _request(config: SaliencyConfig, loader: OneModel, name: str) -> MapRequest:
    loaded, wrong = loader(name), list[str]()
    classes = classes_of(loaded, config.models[name])
    category = collect(wrong, partial(_category, config.category, classes, name))
    with foreign(name, "gives no saliency map"):
        shape = (1, loaded.channels, loaded.input_size, loaded.input_size)
        saliency(loaded.logits, loaded.preprocess(torch.full(shape, 0.5, device=loaded.device)))
    methods = distinct(config.method)
    layer = collect(wrong, partial(cam_layer, loaded, config.layer)) if "grad_cam" in methods else None
    if wrong:
        raise ConfigError(wrong)
    settings = Settings(layer, config.samples, config.noise, config.batch)
    return MapRequest(classes, category, methods, settings)


def _category(category: int | str | None, classes: Classes, name: str) -> int | None:
    if category is None:
        return None
    try:
        return class_number(category, classes.names, classes.count)
    except ConfigError as error:
        raise ConfigError([f"{mistake} (models.{name})" for mistake in error.mistakes]) from None


def _flat(row: MapRow) -> str:
    method = "" if row.method == "gradient" else f", {row.method}"
    why = f"all pixels matter alike to class {row.category}; its map is black"
    return f"{row.image}, {row.model}{method}: {why}"
