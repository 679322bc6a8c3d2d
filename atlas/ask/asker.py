"""Asks the models of an atlas what a picture drives: a picture and the features that are compared in; the first answers out."""

import threading
from collections.abc import Sequence
from itertools import groupby

from PIL import Image

from atlas.ask.answer import Answer, Standard
from atlas.ask.pinned_model import LayerAnswer, PinnedModel
from atlas.ask.view import Showing
from atlas.config.mistakes import ConfigError
from atlas.store.manifest import read_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.recorded_models import recorded_models
from atlas.zoo.load import device_for, load
from atlas.zoo.sources import architecture


class Asker:
    """The models of an atlas; each is loaded when it is first asked, and stays. Threads take turns."""

    def __init__(self, paths: AtlasPaths, device: str = "auto") -> None:
        """device: auto, cpu or cuda. ConfigError: no config of the atlas tells of one of its models."""
        self.paths, self.device = paths, device_for(device)
        self.configs = recorded_models(paths, read_manifest(paths.manifest))
        self._models: dict[str, PinnedModel] = {}
        self._lock = threading.Lock()

    def ask(
        self, picture: Image.Image, standards: Sequence[Standard], top: int, *, own: Showing | None = None
    ) -> list[Answer]:
        """The `top` features that a picture drives most beyond their standard: the highest z first; ties by address.

        picture: RGB of any size; its largest square, from the middle, is what models are shown.
        own: for an image of the atlas itself, how it is shown. It is one of the pictures that it is compared with, so
            those features come first of which it is the most driving one, then those of which it is the second and the
            third: by z alone a twin of the feature that it was made for comes first where the twin's own image is less
            like all others.

        ConfigError: a model cannot be loaded, or its weights are not those of the atlas.
        """
        showing = Showing() if own is None else own
        with self._lock:
            layers = self._look(picture, standards, showing)
            responses = [(standard, layers[standard.feature[:2]].response(standard.feature)) for standard in standards]
            responses.sort(key=lambda pair: pair[0].order(pair[1], by_place=own is not None))
            answers = []
            for rank, (standard, response) in enumerate(responses[:top], start=1):
                feature = standard.feature
                position = layers[feature[:2]].position(feature)
                box = self._models[feature.model].box(feature.layer, position, showing, picture.size)
                answers.append(Answer(str(feature), standard.z(response), response, rank, *box))
            return answers

    def showing(self, model: str, side: int, raw: bool) -> Showing:
        """How an image of the atlas is shown: at the scale at which it was made for its model. side: of it, in pixels."""
        return Showing(side / architecture(model, self.configs[model]).preprocessing.input_size, raw)

    def _look(
        self, picture: Image.Image, standards: Sequence[Standard], showing: Showing
    ) -> dict[tuple[str, str], LayerAnswer]:
        """What every layer of the features does, by model and layer."""
        answers: dict[tuple[str, str], LayerAnswer] = {}
        for model, group in groupby(sorted(standards, key=_model), _model):
            of_model = list(group)
            layers = tuple(dict.fromkeys(standard.feature.layer for standard in of_model))
            looked = self._pinned(model, of_model[0].weights).look(picture, layers, showing)
            answers |= {(model, layer): answer for layer, answer in looked.items()}
        return answers

    def _pinned(self, model: str, weights: str) -> PinnedModel:
        if model not in self._models:
            if model not in self.configs:
                raise ConfigError([f"{self.paths.config}: no config there tells of model {model}"])
            loaded, digest = load(model, self.configs[model], self.device), weights.rpartition("@")[2]
            if loaded.digest != digest:
                here = f"{loaded.weights}@{loaded.digest}"
                raise ConfigError([f"{self.paths.root} was made with {model} of {weights}, and here it is of {here}"])
            self._models[model] = PinnedModel(loaded)
        return self._models[model]


def _model(standard: Standard) -> str:
    return standard.feature.model
