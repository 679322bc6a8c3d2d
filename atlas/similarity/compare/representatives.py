"""Which pictures represent which features, and how much each picture weighs:
from images and pictures to their roles.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from atlas.records import ModelCard
from atlas.similarity.atlas_images import AtlasImage, Picture
from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.statistics import weights_of


def roles_of_images(
    images: Sequence[AtlasImage], features: Sequence[str], cards: Mapping[str, ModelCard]
) -> PictureRoles:
    """The roles of the atlas's own images as a probe: every source layer weighs the same.

    An image of older weights is a picture like any other: it represents no feature.
    """
    numbers = {feature: number for number, feature in enumerate(features)}
    current = [image.weights == cards[image.model].provenance for image in images]
    made_for = [
        numbers.get(str(image.picture.feature), -1) if is_current else -1
        for image, is_current in zip(images, current, strict=True)
    ]
    representatives = _representatives([image for image, yes in zip(images, current, strict=True) if yes])
    layers = {layer: number for number, layer in enumerate(dict.fromkeys(map(_layer, images)))}
    return PictureRoles(
        features,
        weight=weights_of(np.array([layers[_layer(image)] for image in images])),
        made_for=np.array(made_for),
        represents=np.array([image.picture.id in representatives for image in images]),
    )


def roles_of_pictures(pictures: Sequence[Picture], features: Sequence[str]) -> PictureRoles:
    """The roles of pictures that were made for no feature: they weigh the same."""
    nobody = np.full(len(pictures), -1)
    return PictureRoles(features, weights_of(np.zeros(len(pictures), int)), nobody, nobody >= 0)


def _layer(image: AtlasImage) -> tuple[str, str]:
    return image.model, image.layer


def _representatives(images: Iterable[AtlasImage]) -> set[str]:
    """The pictures that represent features: images of whole channels where there are any, of equal kinds the newest."""
    by_feature: defaultdict[str, list[AtlasImage]] = defaultdict(list)
    for image in images:
        by_feature[str(image.picture.feature)].append(image)
    return {image.picture.id for group in by_feature.values() for image in _newest(_purest(group))}


def _purest(images: list[AtlasImage]) -> list[AtlasImage]:
    """Images that drive the channel as a whole; else parts of it; else it together with others."""
    for is_pure in (lambda target: target == "channel", lambda target: not target.startswith("joint")):
        pure = [image for image in images if is_pure(image.kind[1])]
        if pure:
            return pure
    return images


def _newest(images: Iterable[AtlasImage]) -> Iterable[AtlasImage]:
    """The image of each kind that was made last."""
    last = {image.kind: image for image in sorted(images, key=lambda image: (image.created, image.picture.id))}
    return last.values()
