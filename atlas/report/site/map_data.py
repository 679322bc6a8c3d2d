"""A model's map as data and as a picture: for each probe, where its features lie, on a plane and on a grid, and what
regions of the grid are called.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.report.marks import digest_of
from atlas.report.site import mosaic
from atlas.report.site.encoding import Json
from atlas.report.site.grid import NARROWEST, WIDEST, Grid, grid_of
from atlas.report.site.mosaic import Source
from atlas.report.site.regions import regions_of
from atlas.report.site.site_layer import SHEET_SIDE, SiteLayer
from atlas.report.site.site_ledger import SiteLedger
from atlas.store.files import readable
from atlas.store.paths import AtlasPaths

DIGITS = 4  # of a coordinate, after the point


@dataclass(frozen=True)
class Plane:
    """The features of a model that one probe laid out, in the order of their addresses."""

    probe: str
    layers: Sequence[SiteLayer]  # all of the model, by number
    layer: NDArray[np.intp]  # (n,) the number of each feature's
    channel: NDArray[np.intp]
    points: NDArray[np.float64]  # (n, 2)

    @cached_property
    def grid(self) -> Grid:
        """A cell for each feature."""
        return grid_of(self.points)

    @cached_property
    def digest(self) -> str:
        """Digest of which features lie where."""
        names = [layer.name for layer in self.layers]
        return digest_of(names, self.layer.tobytes(), self.channel.tobytes(), self.points.tobytes(), NARROWEST, WIDEST)


def mapped_layers(atlas: Atlas) -> dict[str, set[str]]:
    """By model, the layers of which any feature lies in the plane."""
    rows = atlas.sql("SELECT model, list(DISTINCT layer) AS layers FROM layout GROUP BY model ORDER BY model")
    return {row["model"]: set(row["layers"]) for row in rows.to_pylist()}


def read_planes(atlas: Atlas, model: str, layers: Sequence[SiteLayer]) -> list[Plane]:
    """The planes of a model, of those of its features whose layers are given."""
    numbers = {layer.name: number for number, layer in enumerate(layers)}
    rows = atlas.sql(f"SELECT * FROM layout WHERE model = {quoted(model)} ORDER BY probe, feature").to_pylist()
    rows = [row for row in rows if row["layer"] in numbers]
    return [_plane(probe, layers, list(some), numbers) for probe, some in groupby(rows, lambda row: row["probe"])]


def _plane(probe: str, layers: Sequence[SiteLayer], rows: list[Json], numbers: dict[str, int]) -> Plane:
    points = np.array([(row["x"], row["y"]) for row in rows], float)
    layer = np.array([numbers[row["layer"]] for row in rows])
    return Plane(probe, layers, layer, np.array([row["channel"] for row in rows]), points)


def plane_data(plane: Plane) -> Json:
    """What the page of a map reads.

    The names of the layers stand beside their numbers, so that a map can be read without the overview.
    """
    names = [layer.name for layer in plane.layers]
    x, y = np.round(plane.points, DIGITS).T.tolist()
    called = [_name(plane.layers[k], channel) for k, channel in zip(plane.layer, plane.channel.tolist(), strict=True)]
    grid = {"columns": plane.grid.columns, "rows": plane.grid.rows, "cell": plane.grid.cell.tolist()}
    regions = regions_of(called, plane.grid.cell, plane.grid.columns)
    mine = {"layer": plane.layer.tolist(), "channel": plane.channel.tolist(), "x": x, "y": y}
    return {"layers": names, **mine, **grid, "regions": regions, "pixels": mosaic.cell_of(plane.grid)}


def _name(layer: SiteLayer, channel: int) -> str:
    """What a feature is called, or else where it lies."""
    return layer.names.get(channel, layer.name)


def write_mosaic(paths: AtlasPaths, ledger: SiteLedger, plane: Plane, model: str) -> None:
    """Write the grid of a plane as a picture, unless the sheets that it is cut from are as they were."""
    sources = list(_holders(paths, plane))
    file = paths.site_mosaic(model, plane.probe)
    sheets = [ledger.digest(source.sheet) for source in sources]
    digest = digest_of("mosaic", mosaic.DRAWING, plane.digest, sheets)
    ledger.write(file, digest, lambda: mosaic.as_webp(mosaic.draw(plane.grid, _placed(plane, sources), SHEET_SIDE)))


def write_band(paths: AtlasPaths, ledger: SiteLedger, plane: Plane, model: str) -> None:
    """Write the middle of a mosaic that is written, unless it is as it was."""
    mosaic_file = paths.site_mosaic(model, plane.probe)

    def cut() -> bytes:
        with Image.open(readable(mosaic_file)) as picture:
            return mosaic.as_webp(mosaic.band_of(picture.convert("RGB")), mosaic.BAND_QUALITY)

    ledger.write(paths.site_band(model), digest_of("band", mosaic.BAND, ledger.digest(mosaic_file)), cut)


class Holder(NamedTuple):
    """A sheet, the thumbnails on it that are meant, and whose they are."""

    sheet: Path
    places: NDArray[np.intp]
    features: NDArray[np.intp]  # numbers in the plane


def _placed(plane: Plane, holders: list[Holder]) -> list[Source]:
    return [Source(holder.sheet, holder.places, plane.grid.cell[holder.features]) for holder in holders]


def _holders(paths: AtlasPaths, plane: Plane) -> Iterator[Holder]:
    """The sheets that hold the thumbnails of a plane: those of the images that stand for its features."""
    for number, layer in enumerate(plane.layers):
        mine = np.flatnonzero(plane.layer == number)
        positions = np.searchsorted(layer.channels, plane.channel[mine])
        sheet, place = np.divmod(positions, SHEET_SIDE**2)
        sets = np.where(layer.stands[positions] < 0, -1, layer.set_of[layer.stands[positions]])
        for one, page in sorted({*zip(sets.tolist(), sheet.tolist(), strict=True)}):
            here = (sets == one) & (sheet == page)
            if one >= 0:
                file = paths.site_sprites(layer.path, f"{layer.sets[one].key}-{page}")
                yield Holder(file, place[here], mine[here])
