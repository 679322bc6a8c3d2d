"""What each model's features are named by: the labels that a probe's pictures have, or else what the model sees in them."""

from collections.abc import Sequence

import numpy as np

from atlas.config.schema import ProbeConfig
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.labels import labels_of
from atlas.similarity.probe.responses import read_layer
from atlas.similarity.source import Source
from atlas.similarity.tables.label_tests import Labels


def labels_by_model(source: Source, probe: ProbeConfig, name: str, pictures: Sequence[Picture]) -> dict[str, Labels]:
    """The labels of a probe's pictures, for each model: their own, or the classes that the model gives them.

    A model has its own word where the atlas holds the layer of its classes, and the pictures have no labels: then each
    picture is of the class with the highest score.
    """
    own = Labels.of(labels_of(probe, pictures))
    if own.are_several:
        return dict.fromkeys(source.layers, own)
    return {model: Labels.of(_predicted(source, name, model, pictures)) for model in source.layers}


def _predicted(source: Source, probe: str, model: str, pictures: Sequence[Picture]) -> list[str | None]:
    card = source.cards[model]
    layer = next((layer for layer in card.layers if layer.classes and layer.name in source.layers[model]), None)
    if layer is None:
        return [None] * len(pictures)
    rows = {picture.id: row for row, picture in enumerate(pictures)}
    folder = source.paths.layer_responses(probe, model, layer.name)
    scores = read_layer(folder, rows, range(len(layer.classes)), weights=card.provenance)
    return [None if np.isnan(row).any() else layer.classes[int(row.argmax())] for row in scores]
