"""One loaded model that is asked about pictures: a picture in; of every channel of some layers its mean and its place out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int
from PIL import Image

from atlas.ask.view import Showing, box_on_picture, square
from atlas.optvis.precision import precision
from atlas.records import Address
from atlas.zoo.forward import takes
from atlas.zoo.input_channels import in_channels
from atlas.zoo.load import Loaded
from atlas.zoo.receptive_field import Box, ReceptiveField, receptive_fields


@dataclass(frozen=True)
class LayerAnswer:
    """What the channels of a layer do on a picture."""

    mean: Float32[np.ndarray, "c"]  # over the map
    row: Int[np.ndarray, "c"]  # of the map's highest position, the first of equals in reading order
    column: Int[np.ndarray, "c"]

    def response(self, feature: Address) -> float:
        """The mean activation of a feature of this layer."""
        return float(self.mean[feature.channel])

    def position(self, feature: Address) -> tuple[int, int]:
        """Row and column of the highest position of its map."""
        return int(self.row[feature.channel]), int(self.column[feature.channel])


class PinnedModel:
    """A model, and the receptive fields of its layers, which are measured when they are first wanted."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self._resizable: bool | None = None
        self._fields: dict[tuple[str, int], ReceptiveField] = {}

    def side(self, showing: Showing) -> int:
        """Pixels of the square that the model is shown: its own input where it takes no other."""
        size = self.loaded.input_size
        if showing.scale == 1.0:
            return size
        if self._resizable is None:
            wanted = round(size * showing.scale)
            image = torch.empty(1, self.loaded.channels, 1, 1, device=self.loaded.device)
            self._resizable = takes(self.loaded.model, wanted, image)
        return round(size * showing.scale) if self._resizable else size

    def look(self, picture: Image.Image, layers: Sequence[str], showing: Showing) -> dict[str, LayerAnswer]:
        """One forward pass, up to the last of some layers; picture: RGB of any size."""
        shown = square(picture, self.side(showing)).to(self.loaded.device)
        with torch.no_grad(), precision("float32"):
            maps = self.loaded.forward(layers)(
                in_channels(shown, self.loaded.channels) if showing.raw else self.loaded.preprocess(shown)
            )
        answers = {}
        for layer, values in maps.items():
            peak = values[0].flatten(1).argmax(1).cpu().numpy()
            row, column = np.divmod(peak, values.shape[3])
            answers[layer] = LayerAnswer(values[0].mean((1, 2)).float().cpu().numpy(), row, column)
        return answers

    def box(self, layer: str, position: tuple[int, int], showing: Showing, size: tuple[int, int]) -> Box:
        """The receptive field of a position (row, column) of a layer's map, in pixels of a picture of a size (w, h)."""
        side = self.side(showing)
        key = layer, side
        if key not in self._fields:
            forward = self.loaded.forward([layer])
            field = receptive_fields(forward, side, self.loaded.device, channels=self.loaded.channels)
            self._fields[key] = field[layer]
        return box_on_picture(self._fields[key].box(*position), side, size)
