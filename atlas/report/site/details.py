"""What the page of a feature shows: its images and how they came about, its neighbors, the pictures that drive it."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.report.site.neighbors import Neighbors, read_neighbors
from atlas.report.site.numbers import listed, numbers
from atlas.report.site.partners import Partners
from atlas.report.site.script import Json
from atlas.report.site.site_layer import CHUNK, SiteLayer
from atlas.report.site.spectra import spectra, traces

HELD = 16 << 20  # numbers of activation vectors that are held at once
PLAIN = ("status", "steps", "device", "precision", "weights", "task", "width", "height")
ROUNDED = {"score": "score", "score_start": "start", "loss": "loss", "seconds": "seconds"}
COLUMNS = ", ".join(["channel", *PLAIN, *ROUNDED, "created", "trace", "activation"])


def details(atlas: Atlas, layer: SiteLayer) -> Iterator[tuple[int, Json]]:
    """Number and content of each file of a layer; the layer is read while they are asked for."""
    partners = Partners()
    neighbors = read_neighbors(atlas, layer, partners)
    examples = _examples(atlas, layer)
    for start, images in _images(atlas, layer):
        features = {
            str(channel): {
                "images": images.get(channel, []),
                "neighbors": _neighbors(neighbors, position),
                "examples": examples.get(channel, {}),
            }
            for position, channel in enumerate(layer.channels[start : start + CHUNK].tolist(), start)
        }
        yield start // CHUNK, {"layers": partners.layers, "features": features}


def chunk_count(layer: SiteLayer) -> int:
    return -(-len(layer.channels) // CHUNK)


def _neighbors(tables: list[Neighbors], position: int) -> Json:
    found = {table.name: table.of(position) for table in tables}
    return {name: rows for name, rows in found.items() if rows}


def _examples(atlas: Atlas, layer: SiteLayer) -> dict[int, Json]:
    """By channel and probe: pictures and what they do, the strongest first."""
    rows = atlas.sql(
        f"SELECT probe, channel, image, mean FROM examples WHERE {layer.where} ORDER BY probe, channel, rank"
    )
    columns = [rows[name].to_pylist() for name in ("probe", "channel", "image")]
    found: dict[int, Json] = {}
    for probe, channel, image, mean in zip(*columns, listed(numbers(rows["mean"])), strict=True):
        found.setdefault(channel, {}).setdefault(probe, []).append([image, mean])
    return found


def _images(atlas: Atlas, layer: SiteLayer) -> Iterator[tuple[int, dict[int, list[Json]]]]:
    """For each chunk its first position, and the images by channel; as many chunks are read at once as can be held."""
    sets = dict(zip(layer.rows["task"].to_pylist(), layer.set_of.tolist(), strict=True))
    each = CHUNK * _longest(atlas, layer) * -(-len(layer.rows) // len(layer.channels))
    step = CHUNK * max(1, HELD // each)
    for begin in range(0, len(layer.channels), step):
        some = layer.channels[begin : begin + step]
        rows = atlas.sql(
            f"SELECT {COLUMNS} FROM features WHERE {layer.where} AND channel BETWEEN {some[0]} AND {some[-1]}"
        ).combine_chunks()  # or else each chunk would copy all vectors
        places = np.searchsorted(some, rows["channel"].to_numpy()) // CHUNK
        for number in range(-(-len(some) // CHUNK)):
            yield begin + number * CHUNK, _chunk(rows.take(np.flatnonzero(places == number)), sets)


def _longest(atlas: Atlas, layer: SiteLayer) -> int:
    """Numbers of its longest activation vector: images of other weights may be of a wider layer."""
    rows = atlas.sql(f"SELECT coalesce(max(len(activation)), 0) AS longest FROM features WHERE {layer.where}")
    return max(1, rows["longest"][0].as_py())


def _chunk(rows: pa.Table, sets: dict[str, int]) -> dict[int, list[Json]]:
    named = {name: rows[name].to_pylist() for name in PLAIN}
    named |= {name: listed(numbers(rows[column])) for column, name in ROUNDED.items()}
    named["created"] = [when.isoformat() if when else None for when in rows["created"].to_pylist()]
    named |= {"trace": traces(rows["trace"])}
    named["spectrum"], named["rivals"] = spectra(rows["activation"])
    found: dict[int, list[Json]] = {}
    for channel, *values in zip(rows["channel"].to_pylist(), *named.values(), strict=True):
        image = dict(zip(named, values, strict=True))
        found.setdefault(channel, []).append({"set": sets.get(image["task"], -1), **image})
    return {channel: sorted(images, key=lambda one: (one["set"], one["task"])) for channel, images in found.items()}
