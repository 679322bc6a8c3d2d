"""One model that looks at pictures: pictures in; maps of what it saw, or why there is none, out."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from atlas.engine.memory import in_batches
from atlas.optvis.precision import precision
from atlas.saliency.maps import SaliencyMaps, saliency, scaled, to_gray
from atlas.saliency.methods import METHODS, SAMPLING, Settings
from atlas.store.picture_files import NamedPicture
from atlas.zoo.classes import Classes
from atlas.zoo.eval_transform import eval_transform
from atlas.zoo.input_channels import RGB, in_channels
from atlas.zoo.load import Loaded

READERS = 4  # threads that decode pictures


@dataclass(frozen=True)
class PictureMap:
    """A picture as the model saw it, and its map by one method."""

    picture: NamedPicture
    method: str
    pixels: np.ndarray  # (h, w, 3) uint8: the crop
    map: np.ndarray  # (h, w) uint8
    category: int
    score: float  # logit of the category
    probability: float
    predicted: bool
    flat: bool  # the map shows nothing


@dataclass(frozen=True)
class MissingMap:
    """A picture without a map by some method, or by any."""

    picture: NamedPicture
    reason: str


@dataclass(frozen=True)
class MapRequest:
    """The maps that are wanted of one model for every picture."""

    classes: Classes  # of the model
    category: int | None  # None: the predicted class
    methods: tuple[str, ...]
    settings: Settings


def look(
    loaded: Loaded, pictures: Sequence[NamedPicture], request: MapRequest, batch: int
) -> Iterator[list[PictureMap | MissingMap]]:
    """All maps of each picture in turn, made in batches that are halved where they do not fit in memory.

    Where a method looks at many samples of a picture, those are the batch, and pictures come one by one.
    """
    work, size = partial(_look, loaded, request), 1 if SAMPLING & set(request.methods) else batch
    for part in in_batches(pictures, size, work, loaded.device.type):
        if part.result is None:
            yield [MissingMap(part.items[0], f"{part.items[0].name}, {loaded.name}: {part.error}")]
        else:
            yield from part.result


def _look(loaded: Loaded, request: MapRequest, pictures: Sequence[NamedPicture]) -> list[list[PictureMap | MissingMap]]:
    with ThreadPoolExecutor(READERS) as pool:
        read = list(pool.map(partial(_read, loaded), pictures))
    images = [image for image in read if isinstance(image, Tensor)]
    maps = _maps(loaded, request, torch.stack(images)) if images else {}
    results: list[list[PictureMap | MissingMap]] = []
    number = 0
    for picture, image in zip(pictures, read, strict=True):
        if isinstance(image, OSError):
            results.append([MissingMap(picture, str(image))])
            continue
        results.append(
            [_result(loaded.name, method, maps[method], number, picture=picture, image=image) for method in maps]
        )
        number += 1
    return results


def _read(loaded: Loaded, picture: NamedPicture) -> Tensor | OSError:
    try:
        return in_channels(eval_transform(picture.read(), loaded.preprocessing), loaded.channels)
    except OSError as error:
        return error


def _maps(loaded: Loaded, request: MapRequest, images: Tensor) -> dict[str, SaliencyMaps]:
    """Every method's maps of a batch; all but the gradient's are of the classes that go with that."""
    images = loaded.preprocess(images.to(loaded.device))
    category = request.category
    wanted = None if category is None else torch.full((len(images),), category, device=loaded.device)
    with precision("float32"):
        plain = saliency(loaded.logits, images, wanted)
        return {method: _by(method, loaded, images, plain, request.settings) for method in request.methods}


def _by(method: str, loaded: Loaded, images: Tensor, plain: SaliencyMaps, settings: Settings) -> SaliencyMaps:
    if method == "gradient":
        return plain
    maps, status = scaled(METHODS[method](loaded, images, plain.categories, settings), plain.scores)
    return replace(plain, maps=maps, status=status)


def _result(
    model: str, method: str, maps: SaliencyMaps, number: int, *, picture: NamedPicture, image: Tensor
) -> PictureMap | MissingMap:
    if maps.status[number] == "nonfinite":
        what = "its gradient" if method == "gradient" else f"its map by {method}"
        return MissingMap(picture, f"{picture.name}, {model}: the score, or {what}, is not finite")
    return PictureMap(
        picture=picture,
        method=method,
        pixels=(in_channels(image, RGB) * 255).round().byte().permute(1, 2, 0).numpy(),  # they were bytes before
        map=to_gray(maps.maps[number]),
        category=int(maps.categories[number]),
        score=float(maps.scores[number]),
        probability=float(maps.probabilities[number]),
        predicted=bool(maps.predicted[number]),
        flat=maps.status[number] == "flat",
    )
