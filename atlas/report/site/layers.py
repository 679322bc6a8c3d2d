"""A layer as the site shows it: positions, sets of images, and which image each channel has in each set."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.sources import quoted
from atlas.report.site.image_sets import ImageSet, image_sets
from atlas.report.site.ledger import digest_of
from atlas.report.site.tasks import first_index, read_tasks
from atlas.store.paths import safe

LETTERS = {"ok": "o", "dead": "d", "failed": "f", "left": "l"}
STATES = ("ok", "dead", "failed", "left")  # of several tasks of one place, the first counts
NOTHING = "."  # not asked for
LARGE, SMALL, CROWD = 96, 64, 512  # pixels of a thumbnail; small ones above so many channels


@dataclass(frozen=True)
class Layer:
    """All rows of a layer, and where each belongs."""

    model: str
    name: str
    index: int  # place in order of execution
    rows: pa.Table  # as report/site/tasks.py orders them
    channels: np.ndarray  # (positions,) every channel that was ever asked for
    sets: list[ImageSet]
    chosen: np.ndarray  # (sets, positions) the row of each place, -1: none
    set_of: np.ndarray  # (rows,)
    width: int | None = None  # channels that the layer has

    @property
    def path(self) -> str:
        return f"{safe(self.model)}/{safe(self.name)}"

    @property
    def where(self) -> str:
        """The layer as a condition."""
        return f"model = {quoted(self.model)} AND layer = {quoted(self.name)}"

    @property
    def cell(self) -> int:
        return SMALL if len(self.channels) > CROWD else LARGE

    @cached_property
    def states(self) -> np.ndarray:
        """(rows,) places in STATES."""
        return pa.compute.index_in(self.rows["state"], pa.array(STATES)).to_numpy()  # type: ignore[attr-defined]

    @cached_property
    def stands(self) -> np.ndarray:
        """(positions,) the row that stands for each channel; -1 where there is no image."""
        first = np.searchsorted(self._places, np.arange(len(self.channels)))
        shown = np.isin(self.states[first], (0, 1)) & self.rows["image"].is_valid().to_numpy()[first]
        return np.where(shown, first, -1)

    @cached_property
    def best(self) -> np.ndarray:
        """(positions,) the best state of each channel."""
        best = np.full(len(self.channels), len(STATES))
        np.minimum.at(best, self._places, self.states)
        return best

    @cached_property
    def digest(self) -> str:
        """Of all that the rows say but for what similarity has found."""
        marks = np.sort(self.rows["mark"].to_numpy())
        return digest_of(marks.tobytes(), self.width, [one.key for one in self.sets])

    @property
    def _places(self) -> np.ndarray:
        return np.searchsorted(self.channels, self.rows["channel"].to_numpy())

    def images(self, rows: np.ndarray) -> list[str | None]:
        """The images of some rows, relative to the atlas; None for row -1, for no image, and for none inside."""
        taken = pa.array(rows, mask=rows < 0)
        return [path if path and _inside(path) else None for path in self.rows["image"].take(taken).to_pylist()]


def read_layers(atlas: Atlas) -> list[Layer]:
    """Every layer: models by name, their layers in order of execution."""
    return [_layer(atlas, rows) for rows in read_tasks(atlas)]


def _layer(atlas: Atlas, rows: pa.Table) -> Layer:
    channels, places = np.unique(rows["channel"].to_numpy(), return_inverse=True)
    sets, numbers = image_sets(rows)
    chosen = np.full((len(sets), len(channels)), -1)
    backwards = np.arange(len(rows))[::-1]  # so that of several rows of a place the first stays
    chosen[numbers[backwards], places[backwards]] = backwards
    model, name = rows["model"][0].as_py(), rows["layer"][0].as_py()
    found = Layer(model, name, first_index(rows), rows, channels, sets=sets, chosen=chosen, set_of=numbers)
    return replace(found, width=_width(atlas, found))


def _width(atlas: Atlas, layer: Layer) -> int | None:
    """Channels of the layer: the length of any activation vector."""
    rows = f"FROM features WHERE {layer.where} AND activation IS NOT NULL LIMIT 1"
    found = atlas.sql(f"SELECT len(activation) AS width {rows}").to_pylist()
    return found[0]["width"] if found else None


def _inside(image: str) -> bool:
    """Whether an image that a row names lies where images do."""
    parts = PurePosixPath(image).parts
    return parts[:1] == ("images",) and ".." not in parts


def picture(atlas: Atlas, image: str | None) -> Path | None:
    return None if image is None else atlas.path / image
