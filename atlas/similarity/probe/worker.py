"""One pinned model that looks at pictures: a shard of them in; responses of its layers and a receipt out."""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import perf_counter

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from atlas.optvis.precision import precision
from atlas.records import Receipt
from atlas.run.memory import ItemBatch, budget, in_batches, peak
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.probe.settings import PictureShard, ProbeSettings
from atlas.store.index import write_table
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import RESPONSES
from atlas.zoo.load import Loaded

READERS = 4  # threads that decode pictures
KEPT = 2  # activations of a forward pass at a time: a module's input and its output, and what is read of them


@dataclass(frozen=True)
class Responses:
    """What the layers said to some pictures: mean and max of every channel, (pictures, channels) each."""

    pictures: Sequence[Picture]
    means: dict[str, np.ndarray]
    maxima: dict[str, np.ndarray]
    unread: list[str]  # why others of the batch are not among them


class Prober:
    """One pinned model; reads pictures, forwards them in batches that fit, and leaves tables in staging/."""

    def __init__(self, settings: ProbeSettings, loaded: Loaded) -> None:
        self.settings, self.loaded, self.card = settings, loaded, settings.cards[loaded.name]
        self.paths = AtlasPaths(settings.root)
        self.layers = {layer.name: layer for layer in self.card.layers}

    def probe(self, shard: PictureShard) -> Receipt:
        """Whole files in staging/, one for each layer; a picture that cannot be read is told of, and left to do."""
        began = perf_counter()
        answers: list[Responses] = []
        notes: list[str] = []
        size = 0
        for batch in self._batches(shard):
            size = batch.size
            if batch.result is not None:
                answers.append(batch.result)
                notes += batch.result.unread
            else:
                notes.append(f"{batch.items[0].id}: {batch.error}")
        done = sum(len(one.pictures) for one in answers)
        return Receipt(
            shard=shard.id,
            files=self._stage(shard, answers) if done else (),
            ok=done,
            dead=0,
            failed=len(shard.items) - done,
            seconds=perf_counter() - began,
            batch=size,
            peak_bytes=peak(self.settings.device),
            notes=tuple(notes),
        )

    def _batches(self, shard: PictureShard) -> Iterator[ItemBatch[Picture, Responses]]:
        """Pictures of one size, as many as fit; nothing else tells them apart, so each is as it would be alone."""
        reader = PictureReader(self.settings.probes[shard.probe], self.settings.root)
        if not reader.folder.is_dir():
            raise OSError(f"{reader.folder} cannot be seen from here")
        for (side, raw), group in groupby(sorted(shard.items, key=self._shape), key=self._shape):
            pictures = list(group)
            first = min(len(pictures), self.settings.cluster.batch or self._fitting(shard, side))
            look = partial(self._look, reader, shard.layers, side=side, raw=raw)
            yield from in_batches(pictures, first, look, self.settings.device)

    def _shape(self, picture: Picture) -> tuple[int, bool]:
        """Pictures of one shape are forwarded together."""
        size = self.card.input_size
        return (round(size * picture.scale) if self.card.resizable else size), picture.raw

    def _fitting(self, shard: PictureShard, side: int) -> int:
        """Pictures at once: as many as the memory there is will hold, the same on every run."""
        deepest = max(self.layers[layer].bytes for layer in shard.layers)
        each = KEPT * deepest * (side / self.card.input_size) ** 2
        return max(1, int(budget(self.settings.device, self.settings.cluster.gpus_per_actor) / max(each, 1)))

    def _look(
        self, reader: PictureReader, layers: Sequence[str], batch: Sequence[Picture], *, side: int, raw: bool
    ) -> Responses:
        """Read a batch and forward it once."""
        with ThreadPoolExecutor(READERS) as pool:
            read = list(pool.map(lambda picture: _read(reader, picture, side), batch))
        unread = [str(error) for error in read if isinstance(error, OSError)]
        seen = [(picture, image) for picture, image in zip(batch, read, strict=True) if isinstance(image, Image.Image)]
        if not seen:
            return Responses([], {}, {}, unread)
        pixels = np.stack([np.asarray(image, np.float32) for _, image in seen]) / np.float32(255)
        images = (
            torch.from_numpy(pixels).to(self.settings.device).permute(0, 3, 1, 2)
        )  # channels last, as the weights are
        with torch.no_grad(), precision("float32"):
            maps = self.loaded.forward(layers)(images if raw else self.loaded.preprocess(images))
            means = {layer: one.mean((2, 3)).float().cpu().numpy() for layer, one in maps.items()}
            maxima = {layer: one.amax((2, 3)).float().cpu().numpy() for layer, one in maps.items()}
        return Responses([picture for picture, _ in seen], means, maxima, unread)

    def _stage(self, shard: PictureShard, answers: list[Responses]) -> tuple[str, ...]:
        """Write each layer's rows into a folder of their own, laid out as the atlas is."""
        staged = AtlasPaths(self.paths.staging / f"{shard.id}-{uuid.uuid4().hex[:8]}")
        files = []
        for layer in shard.layers:
            path = staged.layer_responses(shard.probe, shard.model, layer) / f"{shard.id}.parquet"
            write_table(path, pa.concat_tables(self._tables(shard, layer, answers)))
            files.append(self.paths.relative(path))
        return tuple(files)

    def _tables(self, shard: PictureShard, layer: str, answers: list[Responses]) -> Iterator[pa.Table]:
        for one in (one for one in answers if one.pictures):
            count = len(one.pictures)
            columns = {
                "probe": [shard.probe] * count,
                "model": [shard.model] * count,
                "layer": [layer] * count,
                "layer_index": [self.layers[layer].index] * count,
                "picture": [picture.id for picture in one.pictures],
                "image": [picture.image or None for picture in one.pictures],
                "feature": [picture.feature for picture in one.pictures],
                "weights": [self.card.provenance] * count,
                "mean": _lists(one.means[layer]),
                "max": _lists(one.maxima[layer]),
            }
            yield pa.table(columns, schema=RESPONSES)


def _read(reader: PictureReader, picture: Picture, side: int) -> Image.Image | OSError:
    try:
        return reader.read(picture, side)
    except OSError as error:
        return error


def _lists(rows: np.ndarray) -> pa.Array:
    """A list for each row; built from the flat values, not value by value."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, rows.reshape(-1))
