"""One pinned model that looks at pictures: takes a shard of them, stages its layers' responses,
returns a receipt.
"""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from time import perf_counter

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor

from atlas.engine.memory import ItemBatch, budget, in_batches, peak
from atlas.engine.read_ahead import read_ahead
from atlas.optvis.precision import precision
from atlas.records import Receipt
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.probe.places import Places, merged, place_columns, places_of
from atlas.similarity.probe.settings import PictureShard, ProbeSettings
from atlas.store.index import write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import PLACES, RESPONSES
from atlas.zoo.input_channels import in_channels
from atlas.zoo.load import Loaded
from atlas.zoo.receptive_field import ReceptiveField, receptive_fields

READING_THREADS = 4
ACTIVATIONS_HELD = 2  # at a time in a forward pass: a module's input and its output, and what is read of them


@dataclass(frozen=True)
class Responses:
    """What the layers do on some pictures: mean and max of every channel, (pictures, channels) each."""

    pictures: Sequence[Picture]
    means: dict[str, np.ndarray]
    maxima: dict[str, np.ndarray]
    unread: list[str]  # why other pictures of the batch are not among them
    places: dict[str, Places] = field(default_factory=dict)  # of those that drive each channel most; none: not wanted


class Prober:
    """Reads pictures, shows them to one pinned model in batches that fit, and leaves tables in staging/."""

    def __init__(self, settings: ProbeSettings, loaded: Loaded) -> None:
        self.settings, self.loaded, self.card = settings, loaded, settings.cards[loaded.name]
        self.paths = AtlasPaths(settings.root)
        self.layers = {layer.name: layer for layer in self.card.every}
        self._fields: dict[str, ReceptiveField] = {}

    def probe(self, shard: PictureShard) -> Receipt:
        """Stage a whole file for each layer. A picture that cannot be read is named in the receipt, and left to do."""
        began = perf_counter()
        read_ahead(self.settings.cards)
        responses: list[Responses] = []
        places: dict[str, Places] = {}
        notes: list[str] = []
        size = 0
        for batch in self._batches(shard):
            size = batch.size
            if batch.result is not None:
                responses.append(batch.result)
                for layer, more in batch.result.places.items():
                    places[layer] = merged(places[layer], more, self._kept(shard)) if layer in places else more
                notes += batch.result.unread
            else:
                notes.append(f"{batch.items[0].id}: {batch.error}")
        done = sum(len(batch.pictures) for batch in responses)
        return Receipt(
            shard=shard.id,
            files=self._stage(shard, responses, places) if done else (),
            ok=done,
            dead=0,
            failed=len(shard.items) - done,
            seconds=perf_counter() - began,
            batch=size,
            peak_bytes=peak(self.settings.device),
            notes=tuple(notes),
        )

    def _batches(self, shard: PictureShard) -> Iterator[ItemBatch[Picture, Responses]]:
        """The responses to pictures of one size, as many at once as fit; to each as if it were alone."""
        reader = PictureReader(self.settings.probes[shard.probe], self.settings.root)
        if not reader.is_here():
            raise OSError(f"{reader.folder} cannot be seen from here")
        for (side, raw), group in groupby(sorted(shard.items, key=self._shape), key=self._shape):
            pictures = list(group)
            first = min(len(pictures), self.settings.cluster.batch or self._fitting(shard, side))
            look = partial(self._look, reader, shard, side=side, raw=raw)
            yield from in_batches(pictures, first, look, self.settings.device)

    def _shape(self, picture: Picture) -> tuple[int, bool]:
        """Pictures of one shape are forwarded together."""
        size = self.card.input_size
        return (round(size * picture.scale) if self.card.resizable else size), picture.raw

    def _fitting(self, shard: PictureShard, side: int) -> int:
        """How many pictures the memory holds at once, the same on every run."""
        deepest = max(self.layers[layer].bytes for layer in shard.layers)
        each = ACTIVATIONS_HELD * deepest * (side / self.card.input_size) ** 2
        return max(1, int(budget(self.settings.device, self.settings.cluster.gpus_per_actor) / max(each, 1)))

    def _look(
        self, reader: PictureReader, shard: PictureShard, batch: Sequence[Picture], *, side: int, raw: bool
    ) -> Responses:
        """Read a batch and show it to the model once."""
        with ThreadPoolExecutor(READING_THREADS) as pool:
            results = list(pool.map(lambda picture: _read(reader, picture, side), batch))
        unread = [str(error) for error in results if isinstance(error, OSError)]
        images = {p: image for p, image in zip(batch, results, strict=True) if isinstance(image, Image.Image)}
        if not images:
            return Responses([], {}, {}, unread)
        pixels = np.stack([np.asarray(image, np.float32) for image in images.values()]) / np.float32(255)
        shown = torch.from_numpy(pixels).to(self.settings.device).permute(0, 3, 1, 2)  # channels last, as the weights
        with torch.no_grad(), precision("float32"):
            maps = self.loaded.forward(shard.layers)(
                in_channels(shown, self.loaded.channels) if raw else self.loaded.preprocess(shown)
            )
            means = {layer: values.mean((2, 3)).float().cpu().numpy() for layer, values in maps.items()}
            maxima = {layer: values.amax((2, 3)).float().cpu().numpy() for layer, values in maps.items()}
            places = self._places(shard, list(images), maps, means)
        return Responses(list(images), means, maxima, unread, places)

    def _kept(self, shard: PictureShard) -> int:
        """How many pictures are kept for each channel."""
        probe = self.settings.probes[shard.probe]
        return 0 if probe.kind == "atlas" else probe.examples

    def _places(
        self, shard: PictureShard, pictures: list[Picture], maps: dict[str, Tensor], means: dict[str, np.ndarray]
    ) -> dict[str, Places]:
        if not (k := self._kept(shard)):
            return {}
        number = {picture: number for number, picture in enumerate(shard.items)}
        numbers = np.array([number[picture] for picture in pictures])
        return {layer: places_of(values, means[layer], numbers, k=k) for layer, values in maps.items()}

    def _stage(self, shard: PictureShard, responses: list[Responses], places: dict[str, Places]) -> tuple[str, ...]:
        """Write each layer's rows into a folder of their own, laid out as the atlas is.

        Places come first: a picture with a response is never looked at again.
        """
        staged = AtlasPaths(self.paths.staging / f"{shard.id}-{uuid.uuid4().hex[:8]}")
        files = []
        for layer, best in places.items():
            path = staged.layer_places(shard.probe, shard.model, layer) / f"{shard.id}.parquet"
            write_table(path, self._place_table(shard, layer, best))
            files.append(self.paths.relative(path))
        for layer in shard.layers:
            path = staged.layer_responses(shard.probe, shard.model, layer) / f"{shard.id}.parquet"
            write_table(path, pa.concat_tables(self._tables(shard, layer, responses)))
            files.append(self.paths.relative(path))
        return tuple(files)

    def _tables(self, shard: PictureShard, layer: str, responses: list[Responses]) -> Iterator[pa.Table]:
        for batch in (batch for batch in responses if batch.pictures):
            count = len(batch.pictures)
            columns = {
                "probe": [shard.probe] * count,
                "model": [shard.model] * count,
                "layer": [layer] * count,
                "layer_index": [self.layers[layer].index] * count,
                "picture": [picture.id for picture in batch.pictures],
                "image": [picture.image or None for picture in batch.pictures],
                "feature": [picture.feature for picture in batch.pictures],
                "weights": [self.card.provenance] * count,
                "mean": _lists(batch.means[layer]),
                "max": _lists(batch.maxima[layer]),
            }
            yield pa.table(columns, schema=RESPONSES)

    def _place_table(self, shard: PictureShard, layer: str, places: Places) -> pa.Table:
        count, side = places.peak.size, self.card.input_size
        if layer not in self._fields:
            with precision("float32"):
                forward = self.loaded.forward(shard.layers)
                self._fields |= receptive_fields(forward, side, self.loaded.device, channels=self.loaded.channels)
        columns = {
            "probe": [shard.probe] * count,
            "model": [shard.model] * count,
            "layer": [layer] * count,
            "channel": np.tile(np.arange(places.peak.shape[1], dtype=np.int32), len(places.peak)),
            "picture": [shard.items[number].id for number in places.picture.ravel().tolist()],
            "weights": [self.card.provenance] * count,
            **place_columns(places, self._fields[layer], side),
        }
        return pa.table(columns, schema=PLACES)


def _read(reader: PictureReader, picture: Picture, side: int) -> Image.Image | OSError:
    try:
        return reader.read(picture, side)
    except OSError as error:
        return error


def _lists(rows: np.ndarray) -> pa.Array:
    """A list for each row; built from the flat values, not value by value."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, rows.reshape(-1))
