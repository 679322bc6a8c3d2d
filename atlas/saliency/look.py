"""One model that looks at pictures: pictures in; maps of what it saw, or why there is none, out."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from atlas.engine.memory import in_batches
from atlas.optvis.precision import precision
from atlas.saliency.maps import SaliencyMaps, saliency, to_gray
from atlas.store.picture_files import NamedPicture
from atlas.zoo.eval_transform import eval_transform
from atlas.zoo.load import Loaded

READERS = 4  # threads that decode pictures


@dataclass(frozen=True)
class PictureMap:
    """A picture as the model saw it, and its map."""

    picture: NamedPicture
    pixels: np.ndarray  # (h, w, 3) uint8: the crop
    map: np.ndarray  # (h, w) uint8
    category: int
    score: float  # logit of the category
    probability: float
    predicted: bool
    flat: bool  # the map shows nothing


@dataclass(frozen=True)
class MissingMap:
    """A picture without a map."""

    picture: NamedPicture
    reason: str


def look(
    loaded: Loaded, pictures: Sequence[NamedPicture], category: int | None, batch: int
) -> Iterator[PictureMap | MissingMap]:
    """Maps of one class, or of the predicted ones, in batches that are halved where they do not fit in memory."""
    work = partial(_look, loaded, category)
    for part in in_batches(pictures, batch, work, loaded.device.type):
        if part.result is None:
            yield MissingMap(part.items[0], f"{part.items[0].name}, {loaded.name}: {part.error}")
        else:
            yield from part.result


def _look(loaded: Loaded, category: int | None, pictures: Sequence[NamedPicture]) -> list[PictureMap | MissingMap]:
    with ThreadPoolExecutor(READERS) as pool:
        read = list(pool.map(partial(_read, loaded), pictures))
    pairs = list(zip(pictures, read, strict=True))
    results: list[PictureMap | MissingMap] = [
        MissingMap(picture, str(error)) for picture, error in pairs if isinstance(error, OSError)
    ]
    shown = [(picture, image) for picture, image in pairs if isinstance(image, Tensor)]
    if shown:
        maps = _maps(loaded, category, torch.stack([image for _, image in shown]))
        results += [_result(loaded.name, maps, number, *part) for number, part in enumerate(shown)]
    return results


def _read(loaded: Loaded, picture: NamedPicture) -> Tensor | OSError:
    try:
        return eval_transform(picture.read(), loaded.preprocessing)
    except OSError as error:
        return error


def _maps(loaded: Loaded, category: int | None, images: Tensor) -> SaliencyMaps:
    images = images.to(loaded.device)
    wanted = None if category is None else torch.full((len(images),), category, device=loaded.device)
    with precision("float32"):
        return saliency(loaded.model, loaded.preprocess(images), wanted)


def _result(
    model: str, maps: SaliencyMaps, number: int, picture: NamedPicture, image: Tensor
) -> PictureMap | MissingMap:
    if maps.status[number] == "nonfinite":
        return MissingMap(picture, f"{picture.name}, {model}: the score, or its gradient, is not finite")
    return PictureMap(
        picture=picture,
        pixels=(image * 255).round().byte().permute(1, 2, 0).numpy(),  # they were bytes before
        map=to_gray(maps.maps[number]),
        category=int(maps.categories[number]),
        score=float(maps.scores[number]),
        probability=float(maps.probabilities[number]),
        predicted=bool(maps.predicted[number]),
        flat=maps.status[number] == "flat",
    )
