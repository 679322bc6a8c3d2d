"""What the page of a feature shows: its images and how they came about, its neighbors, the pictures
that drive it.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.report.examples import Example, read_examples
from atlas.report.site.encoding import Json, lettered, listed, numbers
from atlas.report.site.neighbors import Neighbors, Partners
from atlas.report.site.site_layer import CHUNK, SiteLayer
from atlas.report.site.spectra import spectra, traces

BLOCK = 64 * CHUNK  # positions whose images are encoded together: one by one takes four times as long
AT_ONCE = 16 << 20  # numbers of activation vectors that are read at once: 64 MiB of them
PLAIN = ("status", "steps", "device", "precision", "weights", "task", "width", "height")
ROUNDED = {"score": "score", "score_start": "start", "loss": "loss", "seconds": "seconds"}
IMAGE_COLUMNS = ", ".join(["channel", *PLAIN, *ROUNDED, "created", "trace", "activation"])


def details(
    atlas: Atlas, layer: SiteLayer, neighbors: list[Neighbors], partners: Partners
) -> Iterator[tuple[int, Json]]:
    """Yield the number and the content of each file of a layer; the layer is read on the way."""
    examples = _examples(atlas, layer)
    steps = {table.name: table.step for table in neighbors}
    for begin, images in _images(atlas, layer):
        end = min(begin + BLOCK, len(layer.channels))
        lists = {table.name: table.lists(begin, end) for table in neighbors}
        features = [
            {
                "images": images.get(channel, []),
                "neighbors": {name: rows[place] for name, rows in lists.items() if rows[place]},
                "examples": examples.get(channel, {}),
            }
            for place, channel in enumerate(layer.channels[begin:end].tolist())
        ]
        for start in range(begin, end, CHUNK):
            channels = map(str, layer.channels[start : start + CHUNK].tolist())
            some = dict(zip(channels, features[start - begin :], strict=False))
            yield start // CHUNK, {"layers": partners.layers, "steps": steps, "features": some}


def chunk_count(layer: SiteLayer) -> int:
    """How many files of details a layer has."""
    return -(-len(layer.channels) // CHUNK)


def _examples(atlas: Atlas, layer: SiteLayer) -> dict[int, Json]:
    """By channel and probe, the pictures that drive it, the strongest first, and where each does."""
    examples: dict[int, Json] = {}
    for example in read_examples(atlas, layer.where):
        examples.setdefault(example.channel, {}).setdefault(example.probe, []).append(_row(example))
    return examples


def _row(example: Example) -> Json:
    """Parts of the picture's side have three digits: a third of a pixel of what is drawn."""
    row: Json = {"image": example.image, "name": example.name}
    row["mean"] = listed(np.array([example.mean]))[0]
    if example.place is not None:
        row["place"] = example.place
    if example.box is not None:
        row["box"] = [round(part, 3) for part in example.box]
    if example.heat is not None:
        row["heat"] = [example.heat.shape[1], lettered(example.heat)]
    return row


def _images(atlas: Atlas, layer: SiteLayer) -> Iterator[tuple[int, dict[int, list[Json]]]]:
    """Yield for each block its first position, and the images by channel; as many blocks are read at once as memory allows."""
    sets = dict(zip(layer.rows["task"].to_pylist(), layer.set_of.tolist(), strict=True))
    each = BLOCK * _longest(atlas, layer) * -(-len(layer.rows) // len(layer.channels))
    step = BLOCK * max(1, AT_ONCE // each)
    for begin in range(0, len(layer.channels), step):
        some = layer.channels[begin : begin + step]
        rows = atlas.sql(
            f"SELECT {IMAGE_COLUMNS} FROM features WHERE {layer.where} AND channel BETWEEN {some[0]} AND {some[-1]}"
        )
        rows = rows.combine_chunks()  # or else each block would copy all vectors
        blocks = np.searchsorted(some, rows["channel"].to_numpy()) // BLOCK
        for number in range(-(-len(some) // BLOCK)):
            yield begin + number * BLOCK, _block(rows.take(np.flatnonzero(blocks == number)), sets)


def _longest(atlas: Atlas, layer: SiteLayer) -> int:
    """How many numbers its longest activation vector has: images of other weights may be of a wider layer."""
    rows = atlas.sql(f"SELECT coalesce(max(len(activation)), 0) AS longest FROM features WHERE {layer.where}")
    return max(1, rows["longest"][0].as_py())


def _block(rows: pa.Table, sets: dict[str, int]) -> dict[int, list[Json]]:
    named = {name: rows[name].to_pylist() for name in PLAIN}
    named |= {name: listed(numbers(rows[column])) for column, name in ROUNDED.items()}
    named["created"] = [moment.isoformat() if moment else None for moment in rows["created"].to_pylist()]
    named |= {"trace": traces(rows["trace"])}
    named["spectrum"], named["rivals"] = spectra(rows["activation"])
    by_channel: dict[int, list[Json]] = {}
    for channel, *values in zip(rows["channel"].to_pylist(), *named.values(), strict=True):
        image = dict(zip(named, values, strict=True))
        by_channel.setdefault(channel, []).append({"set": sets.get(image["task"], -1), **image})
    return {
        channel: sorted(images, key=lambda image: (image["set"], image["task"]))
        for channel, images in by_channel.items()
    }
