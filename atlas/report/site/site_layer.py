"""A layer as the site shows it: sets of images, and which image each channel has in each set.

A position is the place of a channel among all channels of the layer that were ever asked for.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.marks import digest_of
from atlas.report.site.encoding import numbers
from atlas.report.site.image_sets import ImageSet, image_sets
from atlas.report.site.tasks import read_tasks
from atlas.store.paths import AtlasPaths

LETTERS = {"ok": "o", "dead": "d", "failed": "f", "left": "l"}
STATES = ("ok", "dead", "failed", "left")  # the best first: of several tasks of a channel, it counts
NOTHING = "."  # not asked for
CHUNK = 4  # positions in a file of details: whoever walks has the next ones, and one alone is soon there
SHEET_SIDE = 16  # cells along a side of a sheet of thumbnails
LARGE, SMALL, CROWD = 96, 64, 512  # pixels of a thumbnail; small ones above so many channels


@dataclass(frozen=True)
class SiteLayer:
    """All rows of a layer, and the set and the position of each."""

    model: str
    name: str
    rows: pa.Table  # as report/site/tasks.py orders them
    channels: np.ndarray  # (positions,) rising
    sets: list[ImageSet]
    chosen: np.ndarray  # (sets, positions) the row that is shown there, -1: none
    set_of: np.ndarray  # (rows,) the number of the set of each row

    @property
    def path(self) -> str:
        """The folder of the layer's files, below data/layers/ and sprites/."""
        return AtlasPaths.site_layer(self.model, self.name, self.version)

    @cached_property
    def version(self) -> str:
        """Digest of the positions and sets that the layer's files count by, which is part of their path.

        A page that still knows other positions or sets never reads these files by them.
        """
        keys = [images.key for images in self.sets]
        return digest_of(self.channels.tolist(), keys, self.cell, CHUNK, SHEET_SIDE)[:8]

    @property
    def where(self) -> str:
        """The layer as a condition in SQL."""
        return f"model = {quoted(self.model)} AND layer = {quoted(self.name)}"

    @property
    def cell(self) -> int:
        """Pixels of a thumbnail."""
        return SMALL if len(self.channels) > CROWD else LARGE

    @cached_property
    def states(self) -> np.ndarray:
        """(rows,) indices in STATES."""
        return pa.compute.index_in(self.rows["state"], pa.array(STATES)).to_numpy()  # type: ignore[attr-defined]

    @cached_property
    def stands(self) -> np.ndarray:
        """(positions,) the row whose image stands for each channel, -1: none has an image.

        It is of the first set that has an image that is not dead, or else of the first that has any.
        """
        pictured = (self.chosen >= 0) & self.pictured[self.chosen]
        good = pictured & (self.states[self.chosen] == STATES.index("ok"))
        first = np.where(good.any(0), good.argmax(0), pictured.argmax(0))
        return np.where(pictured.any(0), np.take_along_axis(self.chosen, first[None], 0)[0], -1)

    @cached_property
    def best(self) -> np.ndarray:
        """(positions,) the index in STATES of each channel's best state; an ok row without an image counts as left to make."""
        best = np.full(len(self.channels), len(STATES))
        lost = (self.states == STATES.index("ok")) & ~self.pictured
        np.minimum.at(best, self._positions, np.where(lost, STATES.index("left"), self.states))
        return best

    @cached_property
    def pictured(self) -> np.ndarray:
        """(rows,) whether the row has an image."""
        return self.rows["image"].is_valid().to_numpy()

    @property
    def loses(self) -> int:
        """How many channels stand with an image that is not the one that drives them most."""
        ranks = numbers(self.rows["self_rank"])
        return int((ranks[self.stands[self.stands >= 0]] > 1).sum())

    @cached_property
    def names(self) -> dict[int, str]:
        """By channel, its name, where it has one: of several, that of the row which stands first."""
        pairs = zip(self.rows["channel"].to_pylist(), self.rows["name"].to_pylist(), strict=True)
        names: dict[int, str] = {}
        for channel, name in pairs:
            if name is not None:
                names.setdefault(channel, name)
        return names

    @cached_property
    def digest(self) -> str:
        """Digest of all that the rows say; what similarity found is not part of it."""
        marks = np.sort(self.rows["mark"].to_numpy())
        return digest_of(marks.tobytes(), self.version)

    @property
    def _positions(self) -> np.ndarray:
        return np.searchsorted(self.channels, self.rows["channel"].to_numpy())

    def images(self, rows: np.ndarray) -> list[str | None]:
        """The images of some rows, relative to the atlas; None for row -1, and for rows without one."""
        return self.rows["image"].take(pa.array(rows, mask=rows < 0)).to_pylist()


def read_layers(atlas: Atlas) -> list[SiteLayer]:
    """All layers of an atlas: models by name, their layers in order of execution."""
    return [_layer(rows) for rows in read_tasks(atlas)]


def _layer(rows: pa.Table) -> SiteLayer:
    channels, positions = np.unique(rows["channel"].to_numpy(), return_inverse=True)
    sets, numbers = image_sets(rows)
    chosen = np.full((len(sets), len(channels)), -1)
    # backwards, so that of several rows at one position the first stays
    backwards = np.arange(len(rows))[::-1]
    chosen[numbers[backwards], positions[backwards]] = backwards
    model, name = rows["model"][0].as_py(), rows["layer"][0].as_py()
    return SiteLayer(model, name, rows, channels, sets=sets, chosen=chosen, set_of=numbers)
