"""Which pictures stand for which features, and how much each weighs: from the images of an atlas to the bank's terms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from atlas.records import ModelCard
from atlas.similarity.atlas_images import AtlasImage, Picture
from atlas.similarity.compare.bank import Pictures
from atlas.similarity.compare.statistics import weights_of


def own_pictures(made: Sequence[AtlasImage], features: Sequence[str], cards: Mapping[str, ModelCard]) -> Pictures:
    """The atlas's images as a probe: every source layer weighs the same.

    An image of older weights is a picture like any other: it stands for no feature.
    """
    place = {feature: number for number, feature in enumerate(features)}
    current = [one.weights == cards[one.model].provenance for one in made]
    of = [place.get(str(one.picture.feature), -1) if now else -1 for one, now in zip(made, current, strict=True)]
    standing = _standing([one for one, now in zip(made, current, strict=True) if now])
    sources = {name: number for number, name in enumerate(dict.fromkeys((one.model, one.layer) for one in made))}
    return Pictures(
        weight=weights_of(np.array([sources[one.model, one.layer] for one in made])),
        made=np.array(of),
        shown=np.array([one.picture.id in standing for one in made]),
    )


def found_pictures(pictures: Sequence[Picture]) -> Pictures:
    """Pictures that were made for no feature: they weigh the same."""
    nobody = np.full(len(pictures), -1)
    return Pictures(weights_of(np.zeros(len(pictures), int)), nobody, nobody >= 0)


def _standing(made: Iterable[AtlasImage]) -> set[str]:
    """The pictures that stand for their features: of whole channels where there are any, of equal kinds the newest."""
    by_feature: defaultdict[str, list[AtlasImage]] = defaultdict(list)
    for one in made:
        by_feature[str(one.picture.feature)].append(one)
    return {one.picture.id for images in by_feature.values() for one in _newest(_purest(images))}


def _purest(images: list[AtlasImage]) -> list[AtlasImage]:
    """Images that drive the channel as a whole; else parts of it; else it together with others."""
    for wanted in (lambda target: target == "channel", lambda target: not target.startswith("joint")):
        found = [one for one in images if wanted(one.kind[1])]
        if found:
            return found
    return images


def _newest(images: Iterable[AtlasImage]) -> Iterable[AtlasImage]:
    last = {one.kind: one for one in sorted(images, key=lambda one: (one.created, one.picture.id))}
    return last.values()
