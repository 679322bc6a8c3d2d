"""A layer as the site shows it: positions, sets of images, and which image each channel has in each set."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.site.image_sets import ImageSet, image_sets
from atlas.report.site.site_ledger import digest_of
from atlas.report.site.tasks import read_tasks
from atlas.store.paths import AtlasPaths

LETTERS = {"ok": "o", "dead": "d", "failed": "f", "left": "l"}
STATES = ("ok", "dead", "failed", "left")  # of several tasks of one place, the first counts
NOTHING = "."  # not asked for
CHUNK = 64  # positions of a file of details
SIDE = 16  # cells of a side of a sheet of thumbnails
LARGE, SMALL, CROWD = 96, 64, 512  # pixels of a thumbnail; small ones above so many channels


@dataclass(frozen=True)
class SiteLayer:
    """All rows of a layer, and where each belongs."""

    model: str
    name: str
    rows: pa.Table  # as report/site/tasks.py orders them
    channels: np.ndarray  # (positions,) every channel that was ever asked for
    sets: list[ImageSet]
    chosen: np.ndarray  # (sets, positions) the row of each place, -1: none
    set_of: np.ndarray  # (rows,)

    @property
    def path(self) -> str:
        return AtlasPaths.site_layer(self.model, self.name, self.version)

    @cached_property
    def version(self) -> str:
        """Of all that other files count by: a page that knows other positions or sets never reads these by theirs."""
        keys = [one.key for one in self.sets]
        return digest_of(self.channels.tolist(), keys, self.cell, CHUNK, SIDE)[:8]

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
        """(positions,) the row that stands for each channel: of the first set that has an image, better one that is not dead."""
        pictured = (self.chosen >= 0) & self.pictured[self.chosen]
        good = pictured & (self.states[self.chosen] == STATES.index("ok"))
        first = np.where(good.any(0), good.argmax(0), pictured.argmax(0))
        return np.where(pictured.any(0), np.take_along_axis(self.chosen, first[None], 0)[0], -1)

    @cached_property
    def best(self) -> np.ndarray:
        """(positions,) the best state of each channel; what is said to be made, and has no image, is left to make."""
        best = np.full(len(self.channels), len(STATES))
        gone = (self.states == STATES.index("ok")) & ~self.pictured
        np.minimum.at(best, self._places, np.where(gone, STATES.index("left"), self.states))
        return best

    @cached_property
    def pictured(self) -> np.ndarray:
        """(rows,) whether there is an image."""
        return self.rows["image"].is_valid().to_numpy()

    @cached_property
    def digest(self) -> str:
        """Of all that the rows say but for what similarity has found."""
        marks = np.sort(self.rows["mark"].to_numpy())
        return digest_of(marks.tobytes(), self.version)

    @property
    def _places(self) -> np.ndarray:
        return np.searchsorted(self.channels, self.rows["channel"].to_numpy())

    def images(self, rows: np.ndarray) -> list[str | None]:
        """The images of some rows, relative to the atlas; None for row -1, and where there is none."""
        return self.rows["image"].take(pa.array(rows, mask=rows < 0)).to_pylist()


def read_layers(atlas: Atlas) -> list[SiteLayer]:
    """Every layer: models by name, their layers in order of execution."""
    return [_layer(rows) for rows in read_tasks(atlas)]


def _layer(rows: pa.Table) -> SiteLayer:
    channels, places = np.unique(rows["channel"].to_numpy(), return_inverse=True)
    sets, numbers = image_sets(rows)
    chosen = np.full((len(sets), len(channels)), -1)
    backwards = np.arange(len(rows))[::-1]  # so that of several rows of a place the first stays
    chosen[numbers[backwards], places[backwards]] = backwards
    model, name = rows["model"][0].as_py(), rows["layer"][0].as_py()
    return SiteLayer(model, name, rows, channels, sets=sets, chosen=chosen, set_of=numbers)


def picture(atlas: Atlas, image: str | None) -> Path | None:
    return None if image is None else atlas.path / image
