"""The pictures of a probe that drive each feature most, copied into the atlas, where the site finds them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int

from atlas.records import Address
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.pictures import PictureReader
from atlas.store.files import write_whole
from atlas.store.index import files_under, read_table, write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import EXAMPLES, PLACE, PLACES

COPY = re.compile(r"[0-9a-f]{20}\.jpg")  # as `_copy` names them
COPY_SIDE = 192  # pixels
COPYING_THREADS = 4
PLAIN = pa.schema(list(EXAMPLES)[: -len(PLACE)])  # what stands before the place


@dataclass(frozen=True)
class TopPictures:
    """The pictures that drive some features most, best first: their numbers in the probe, and what each does."""

    features: list[str]
    picture: Int[np.ndarray, "c k"]
    mean: Float32[np.ndarray, "c k"]
    peak: Float32[np.ndarray, "c k"]


def most_driving(
    features: list[str],
    means: Float32[np.ndarray, "n c"],
    maxima: Float32[np.ndarray, "n c"],
    k: int,
    *,
    alive: Bool[np.ndarray, "c"],
) -> TopPictures:
    """The k pictures of the highest mean activation of each live channel; ties by picture.

    features: addresses of the channels; the mean counts since it is what images are made for.
    """
    live = np.flatnonzero(alive)
    chosen = np.stack([_highest(means[:, channel], k) for channel in live]) if len(live) else np.empty((0, 0), int)
    mean, peak = (values[chosen, live[:, None]] for values in (means, maxima))
    return TopPictures([features[channel] for channel in live], chosen, mean, peak)


def _highest(column: Float32[np.ndarray, "n"], k: int) -> Int[np.ndarray, "_"]:
    """The k highest, highest first; of equals the first."""
    near = np.arange(len(column))
    if len(column) > k:
        near = np.flatnonzero(column >= np.partition(column, len(column) - k)[len(column) - k])
    return near[np.argsort(-column[near], kind="stable")][:k]


def write_examples(
    paths: AtlasPaths,
    probe: str,
    pictures: Sequence[Picture],
    reader: PictureReader,
    *,
    tops: list[TopPictures],
    weights: Mapping[str, str],
) -> list[Path]:
    """Copy the pictures and write their table; returns the files. Copies that no row names any more are removed.

    tops: of one layer each; weights: of each model, those that a place must be of.
    """
    folder, table = paths.probe_pictures(probe), paths.probe_examples(probe)
    wanted = {_copy(folder, pictures[n]): pictures[n] for top in tops for n in np.unique(top.picture)}
    with ThreadPoolExecutor(COPYING_THREADS) as pool:
        list(pool.map(lambda path: _write_copy(path, reader, wanted[path]), wanted))
    tables = [EXAMPLES.empty_table()]
    for top in tops:
        rows = pa.Table.from_pylist(_rows(paths, probe, folder, pictures, top), schema=PLAIN)
        tables.append(_placed(paths, rows, weights))
    write_table(table, pa.concat_tables(tables))
    remove_copies(folder, but=wanted)
    return [table, *wanted]


def remove_copies(folder: Path, but: Collection[Path] = ()) -> None:
    """Remove the copies of pictures that lie in a folder, but for some; other files there stay."""
    for path in folder.glob("*.jpg"):
        if COPY.fullmatch(path.name) and path not in but:
            path.unlink()


def _rows(paths: AtlasPaths, probe: str, folder: Path, pictures: Sequence[Picture], top: TopPictures) -> list[dict]:
    return [
        {
            "probe": probe,
            "feature": address,
            **Address.parse(address)._asdict(),
            "rank": rank,
            "mean": top.mean[row, rank - 1],
            "max": top.peak[row, rank - 1],
            "picture": pictures[number].id,
            "source": pictures[number].image or pictures[number].id,
            "image": paths.relative(_copy(folder, pictures[number])),
        }
        for row, address in enumerate(top.features)
        for rank, number in enumerate(top.picture[row], start=1)
    ]


def _placed(paths: AtlasPaths, rows: pa.Table, weights: Mapping[str, str]) -> pa.Table:
    """Rows of one layer with the columns of PLACE, which are NULL where no place was kept."""
    places, row_of = PLACES.empty_table(), {}
    if len(rows):
        probe, model, layer = (rows[name][0].as_py() for name in ("probe", "model", "layer"))
        files = files_under(paths.layer_places(probe, model, layer))
        tables = [read_table(path, PLACES.names).cast(PLACES) for path in files]
        places = pa.concat_tables([places, *tables]).filter(pc.field("weights") == weights.get(model))
        row_of = {key: row for row, key in enumerate(_keys(places))}
    chosen = pa.array([row_of.get(key) for key in _keys(rows)], pa.int64())
    return pa.Table.from_arrays(
        [*rows.columns, *places.select([name for name, _ in PLACE]).take(chosen).columns], schema=EXAMPLES
    )


def _keys(table: pa.Table) -> Iterator[tuple[str, int]]:
    return zip(table["picture"].to_pylist(), table["channel"].to_pylist(), strict=True)


def _copy(folder: Path, picture: Picture) -> Path:
    return folder / f"{blake2b(picture.id.encode(), digest_size=10).hexdigest()}.jpg"


def _write_copy(path: Path, reader: PictureReader, picture: Picture) -> None:
    if not path.exists():
        image = reader.read(picture, COPY_SIDE)
        write_whole(path, lambda file: image.save(file, "JPEG", quality=92, subsampling=0))
