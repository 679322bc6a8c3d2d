"""The pictures of a probe that drive each feature most, copied into the atlas, where the site finds them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float32, Int

from atlas.records import Address
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.pictures import PictureReader
from atlas.store.files import write_whole
from atlas.store.index import write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import EXAMPLES

SIDE = 192  # pixels of a copy
THREADS = 4


@dataclass(frozen=True)
class TopPictures:
    """The pictures that drive some features most, best first: numbers of pictures, and what they do."""

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
    """By mean activation, which is what images are made for; ties by picture. Channels that are not live have none."""
    places = np.flatnonzero(alive)
    chosen = np.stack([_highest(means[:, place], k) for place in places]) if len(places) else np.empty((0, 0), int)
    mean, peak = (values[chosen, places[:, None]] for values in (means, maxima))
    return TopPictures([features[place] for place in places], chosen, mean, peak)


def _highest(column: Float32[np.ndarray, "n"], k: int) -> Int[np.ndarray, "_"]:
    """The k highest, highest first, of equals the first."""
    near = np.arange(len(column))
    if len(column) > k:
        near = np.flatnonzero(column >= np.partition(column, len(column) - k)[len(column) - k])
    return near[np.argsort(-column[near], kind="stable")][:k]


def write_examples(
    paths: AtlasPaths, probe: str, pictures: Sequence[Picture], reader: PictureReader, most: list[TopPictures]
) -> list[Path]:
    """Copy the pictures and write their table: the files. Copies that nobody names any more are removed."""
    folder, table = paths.probe_pictures(probe), paths.probe_examples(probe)
    wanted = {_copy(folder, pictures[n]): pictures[n] for one in most for n in np.unique(one.picture)}
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda path: _write_copy(path, reader, wanted[path]), wanted))
    rows = [row for one in most for row in _rows(paths, probe, folder, pictures, one)]
    write_table(table, pa.Table.from_pylist(rows, schema=EXAMPLES))
    for path in folder.glob("*.jpg"):
        if path not in wanted:
            path.unlink()
    return [table, *wanted]


def _rows(paths: AtlasPaths, probe: str, folder: Path, pictures: Sequence[Picture], most: TopPictures) -> list[dict]:
    return [
        {
            "probe": probe,
            "feature": address,
            **Address.parse(address)._asdict(),
            "rank": rank,
            "mean": most.mean[row, rank - 1],
            "max": most.peak[row, rank - 1],
            "picture": pictures[number].id,
            "source": pictures[number].image or None,
            "image": paths.relative(_copy(folder, pictures[number])),
        }
        for row, address in enumerate(most.features)
        for rank, number in enumerate(most.picture[row], start=1)
    ]


def _copy(folder: Path, picture: Picture) -> Path:
    return folder / f"{blake2b(picture.id.encode(), digest_size=10).hexdigest()}.jpg"


def _write_copy(path: Path, reader: PictureReader, picture: Picture) -> None:
    if not path.exists():
        image = reader.read(picture, SIDE)
        write_whole(path, lambda file: image.save(file, "JPEG", quality=92, subsampling=0))
