"""One pinned model that makes shards: a shard in; images, rows and a receipt out. Knows no Ray and no other worker."""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

import torch

from atlas.engine.attempt import at_most, is_copy
from atlas.engine.memory import budget, images_at_once, in_batches, peak
from atlas.engine.pulse import Pulse
from atlas.engine.read_ahead import read_ahead
from atlas.engine.threads import writing_threads
from atlas.generate.leaving import leaving
from atlas.generate.rows import task_columns
from atlas.generate.settings import ImageSettings
from atlas.optvis.batch import Keep
from atlas.optvis.gradients import NoGradient
from atlas.optvis.make import Canvas, FinishedImages, make_images, may_fold, one_at_a_time
from atlas.optvis.metrics import metric_named
from atlas.optvis.start import picture_tensor
from atlas.optvis.targets import target_objective
from atlas.records import Address, ImageShard, Item, Receipt
from atlas.store.failure_text import one_line
from atlas.store.image_writer import ImageWriter
from atlas.store.images import read_picture
from atlas.store.index import FAILURES, INDEX, TRACES, Row, write_rows
from atlas.store.paths import AtlasPaths, image_path
from atlas.sweep.identity import noise_seed
from atlas.sweep.plan import find_layer
from atlas.zoo.cut import CutForward
from atlas.zoo.input_channels import in_channels
from atlas.zoo.load import Loaded

FIXED = 32  # images of a batch on a GPU, as far as they fit: 64 and 256 take as long for each (docs/gpu.md)
MOMENTS = "moments"  # beside the columns of a row: those of its trace


class Maker:
    """One pinned model, and the batch size that fitted so far."""

    def __init__(self, settings: ImageSettings, loaded: Loaded) -> None:
        self.settings, self.loaded, self.card = settings, loaded, settings.cards[loaded.name]
        self.paths, self.recipe = AtlasPaths(settings.root), settings.recipes[loaded.name]
        self.canvas = Canvas(loaded.scale, loaded.device, picture=self._picture())
        self.device = torch.cuda.get_device_name() if settings.device == "cuda" else "cpu"  # column `device`
        self.fitting: dict[str, int] = {}  # batch sizes found by running out of memory, by layer
        self.filled: dict[str, int] = {}  # images that each batch is filled up to, by layer, on a GPU
        self._forward: CutForward | None = None  # of the last layers: shards of a layer come one after another

    def make(self, shard: ImageShard) -> Receipt:
        """Make a shard's images and rows; whole files in images/ and staging/, none of them published."""
        began = perf_counter()
        read_ahead(self.settings.cards)
        rows: list[Row] = []
        steps = sum(octave.steps or 0 for octave in self.recipe.octaves)
        self.pulse = Pulse(self.paths.pulse(shard.id), len(shard.items) * max(1, steps))
        self.attempt = f"{shard.id}-{uuid.uuid4().hex[:8]}"
        # where another worker makes the same, its images are not written over: one of the two is published
        self.home = AtlasPaths(self.paths.staging / self.attempt) if is_copy() else self.paths
        if self.settings.device == "cuda":
            self.filled.setdefault(shard.layer, min(FIXED, self._fitting(shard)))
        # fewer where the driver says so, which is no lack of memory
        first = size = at_most(self.first_batch(shard))
        with ImageWriter(writing_threads(self.settings.device)) as writer:
            make = partial(self._make_batch, shard, writer)
            for run in _runs(shard):
                for batch in in_batches(run, size, make, self.settings.device):
                    size = batch.size
                    failure = self._row(shard, batch.items[0]) | _failure(batch.error)
                    rows += [failure] if batch.result is None else batch.result
            # rows are written once their images are on the disk
            writer.flush()
        if size < first:
            self.fitting[shard.layer] = size
        return self._receipt(shard, rows, perf_counter() - began, self.first_batch(shard))

    def _make_batch(self, shard: ImageShard, writer: ImageWriter, items: Sequence[Item]) -> list[Row]:
        began = perf_counter()
        try:
            finished = self._optimize(shard, items)
        except NoGradient as error:  # the layer's fault: each of its features would fail alike
            return [self._row(shard, item) | _failed("NoGradient", f"{shard.layer}: {error}") for item in items]
        seconds = (perf_counter() - began) / len(items)
        images, readings = leaving(finished.images), _readings(finished)
        colours, height, width = finished.images.shape[1:]
        rows = []
        for number, item in enumerate(items):
            row = self._row(shard, item)
            if finished.status[number] == "nonfinite":
                rows.append(row | _non_finite(finished.steps[number]))
                continue
            file: Row = {}
            if not shard.trace_only:
                path = self._path(shard, item)
                digest = writer.put(self.home.root / path, images[number], colours * height * width)
                file = {"image": path, "image_sha256": digest, "width": width, "height": height}
            moments = {MOMENTS: _moments(row, finished.means[number], self.recipe.trace_every)}
            rows.append(row | readings[number] | file | {"seconds": seconds} | moments)
        return rows

    def _path(self, shard: ImageShard, item: Item) -> str:
        feature = Address(shard.model, shard.layer, item.channel)
        suffix = "" if shard.variant in self.settings.default_variants else shard.variant[:6]
        return image_path(feature, shard.metric, shard.target, item.seed, suffix)

    def _picture(self) -> torch.Tensor | None:
        """The picture (c, h, w) that images begin as."""
        if self.recipe.picture is None:
            return None
        rgb = picture_tensor(read_picture(self.paths.start(self.recipe.picture.rpartition("@")[2])))
        return in_channels(rgb, self.loaded.channels)

    def _optimize(self, shard: ImageShard, items: Sequence[Item]) -> FinishedImages:
        """The images of some items, each from its own random stream; those that fill the batch up come last.

        On a GPU every batch is as large: kernels are then the same ones whatever is left of a shard, so that an image's
        bytes do not depend on that.
        """
        wanted = self.filled.get(shard.layer)
        if wanted is None or wanted <= len(items):
            return self._made(shard, items, len(items))
        try:
            return self._made(shard, [*items, *[items[-1]] * (wanted - len(items))], len(items))
        except torch.OutOfMemoryError:
            # half as many, here, where they are no loss
            self.filled[shard.layer] = max(len(items), wanted // 2)
        torch.cuda.empty_cache()
        return self._optimize(shard, items)

    def _made(self, shard: ImageShard, items: Sequence[Item], count: int) -> FinishedImages:
        """Their images; count: of the items that are asked for, the first ones."""
        channels = torch.tensor([item.channel for item in items], device=self.loaded.device)
        metric = metric_named(shard.metric, self.settings.constants[shard.metric])
        objective = target_objective(shard.target, shard.layer, channels, metric)
        compiled = (shard.model, shard.layer) in self.settings.compiled
        return make_images(
            self._cut(objective.layers, compiled=compiled),
            objective,
            self.recipe,
            seeds=[noise_seed(shard.layer, item) for item in items],
            canvas=self.canvas,
            keep=Keep(means=self.settings.full_trace, watch=lambda moment: self.pulse.beat(count)),
            fixed=shard.layer in self.filled,
            fused=compiled,
        )

    def _cut(self, layers: tuple[str, ...], *, compiled: bool) -> CutForward:
        if self._forward is None or self._forward.layers != layers:
            self._forward = self.loaded.cut(layers, folded=may_fold(self.recipe), compiled=compiled)
        return self._forward

    def _row(self, shard: ImageShard, item: Item) -> Row:
        common = {"device": self.device, "precision": self.recipe.precision, "created": datetime.now(UTC)}
        return task_columns(shard, item, self.card, self.recipe) | common

    def first_batch(self, shard: ImageShard) -> int:
        """Images at once, as far as there are so many."""
        fits = self._fitting(shard)
        return min(shard.together, fits, self.filled.get(shard.layer, fits))

    def _fitting(self, shard: ImageShard) -> int:
        """Images at once: as configured, else as many as the memory there is will hold, the same on every run."""
        batch = self.fitting.get(shard.layer, self.settings.cluster.batch)
        if batch is not None or one_at_a_time(self.recipe, self.settings.device):
            return batch or 1
        layers = [find_layer(self.card, partner) for partner in shard.target.partners]
        layers += [layer for layer in self.card.every if layer.name == shard.layer]
        room = budget(self.settings.device, self.settings.cluster.gpus_per_actor)
        activations = max(layer.bytes for layer in layers)
        return images_at_once(activations, self.card.input_size, self.recipe, room=room)

    def _receipt(self, shard: ImageShard, rows: list[Row], seconds: float, batch: int) -> Receipt:
        finished = [row | _hashed(row) for row in rows if row["status"] != "failed"]
        failures = [row for row in rows if row["status"] == "failed"]
        dead = sum(row["status"] == "dead" for row in finished)
        return Receipt(
            shard=shard.id,
            files=self._stage(shard, finished, failures),
            ok=len(finished) - dead,
            dead=dead,
            failed=len(failures),
            seconds=seconds,
            batch=batch,
            peak_bytes=peak(self.settings.device),
        )

    def _stage(self, shard: ImageShard, finished: list[Row], failures: list[Row]) -> tuple[str, ...]:
        """Write the rows into a folder of their own, laid out as the atlas is; a shard's index comes last."""
        staged = AtlasPaths(self.paths.staging / self.attempt)
        failed, done = staged.shard_failures(self.attempt), staged.shard_index(shard.model, shard.layer, shard.id)
        along = staged.layer_traces(shard.model, shard.layer) / f"{shard.id}.parquet"
        tables = [
            (failed, [] if shard.trace_only else failures, FAILURES),
            (along, [moment for row in finished for moment in row.pop(MOMENTS)], TRACES),
            (done, [] if shard.trace_only else finished, INDEX),
        ]
        for path, rows, schema in tables:
            if rows:
                write_rows(path, rows, schema)
        copied = [] if self.home is self.paths else [staged.root / row["image"] for row in finished if row.get("image")]
        return tuple(map(self.paths.relative, [*copied, *(path for path, rows, _ in tables if rows)]))


def _runs(shard: ImageShard) -> Iterator[Sequence[Item]]:
    """The items that are worked on together: no batch reaches from one run into the next, so the cut changes no byte."""
    begin = 0
    for size in shard.runs:
        yield shard.items[begin : begin + size]
        begin += size


def _readings(finished: FinishedImages) -> list[Row]:
    """What the network says of each image, fetched from the device at once."""
    columns = {
        "status": finished.status,
        "score": finished.scores.tolist(),
        "score_start": [trace[0] for trace in finished.trace],
        "loss": finished.losses.tolist(),
        "trace": finished.trace,
        "activation": list(finished.activations.cpu().numpy()),
        "steps": finished.steps,
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _moments(row: Row, means: list[torch.Tensor], every: int) -> list[Row]:
    """What every channel of the layer did along the way, as rows."""
    columns = {name: row[name] for name in TRACES.names if name in row}
    return [columns | {"step": i * every, "activation": moment.float().cpu().numpy()} for i, moment in enumerate(means)]


def _hashed(row: Row) -> Row:
    """The columns of a row that its image's writer has filled in meanwhile."""
    return {name: value.result() for name, value in row.items() if isinstance(value, Future)}


def _non_finite(steps: int) -> Row:
    message = f"image or loss was no longer finite after {steps} steps; lower the recipe's lr, or use recipe=normalized"
    return _failed("NonFinite", message) | {"steps": steps}


def _failure(reason: str | None) -> Row:
    return _failed("OutOfMemory", one_line(f"not even one image fits the memory there is: {reason}"))


def _failed(error_type: str, message: str) -> Row:
    return {"status": "failed", "error_type": error_type, "error_message": message, "attempts": 1}
