"""The files of what a model makes of a picture: its maps in; PNGs of them, alone and on the picture, and rows out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from atlas.saliency.look import PictureMap
from atlas.saliency.maps import overlay
from atlas.store.images import write_pixels
from atlas.store.paths import safe
from atlas.store.picture_files import path_for
from atlas.zoo.classes import Classes


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


# draws a picture's maps together: a row and a map for each method
Panel = Callable[[list[MapRow], list[PictureMap]], object]


@dataclass(frozen=True)
class MapFiles:
    """Where maps are kept, and how they are drawn."""

    out: Path
    shares: Sequence[float]  # of the picture and of its map in an overlay
    panel: Panel

    def write(self, maps: list[PictureMap], model: str, classes: Classes) -> list[MapRow]:
        """Write one model's maps of one picture, each PNG whole or absent, and then its panel."""
        rows = [self._write(picture_map, model, classes) for picture_map in maps]
        if rows:
            self.panel(rows, maps)
        return rows

    def _write(self, picture_map: PictureMap, model: str, classes: Classes) -> MapRow:
        category, method = picture_map.category, picture_map.method
        stem = f"{category}" if method == "gradient" else f"{category}-{method}"
        endings = {"map": f"{stem}-map", "overlay": f"{stem}-overlay", "panel": f"{category}-panel"}
        folder, label = self.out / safe(model), picture_map.picture.label
        paths = {kind: folder / path_for(label, f"{ending}.png") for kind, ending in endings.items()}
        write_pixels(paths["map"], Image.fromarray(picture_map.map))
        write_pixels(paths["overlay"], Image.fromarray(overlay(picture_map.pixels, picture_map.map, self.shares)))
        return MapRow(
            image=picture_map.picture.name,
            model=model,
            category=category,
            label=classes.label(category),
            score=picture_map.score,
            predicted=picture_map.predicted,
            probability=picture_map.probability,
            method=method,
            **{kind: str(path) for kind, path in paths.items()},
        )
