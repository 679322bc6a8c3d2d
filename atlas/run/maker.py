"""One pinned model that makes shards: a shard in; images, rows and a receipt out. Knows no Ray and no other worker."""

import uuid
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import psutil
import torch

from atlas.optvis.objectives import FeatureObjective
from atlas.optvis.params import noise
from atlas.records import Feature, Item, ModelCard, Receipt, Shard
from atlas.run.images import Made, alone, make_images, seen_in
from atlas.run.rows import task_columns
from atlas.run.work import ImageWork
from atlas.store.images import write_image
from atlas.store.index import FAILURES, INDEX, Row, write_rows
from atlas.store.paths import AtlasPaths, image_path
from atlas.sweep.identity import noise_seed
from atlas.sweep.plan import find_layer
from atlas.zoo.load import Loaded

CPU_BUDGET = 512 << 20  # bytes of activations at once on a CPU: more images of a batch than fit its caches cost time
GPU_SHARE = 0.6  # of a GPU's memory for activations; the rest is for weights, workspaces and fragments
PASSES = 3  # activations kept for the way back, their gradients, and what a convolution needs aside


class Maker:
    """One pinned model, and the batch size that fitted so far."""

    def __init__(self, work: ImageWork, loaded: Loaded, card: ModelCard) -> None:
        self.work, self.loaded, self.card = work, loaded, card
        self.paths, self.recipe = AtlasPaths(work.root), work.recipes[card.name]
        self.device = torch.cuda.get_device_name() if work.device == "cuda" else "cpu"  # column `device`
        self.fitting: dict[str, int] = {}  # batch sizes found by running out of memory, by layer
        if work.device == "cuda":
            make_repeatable()

    def make(self, shard: Shard) -> Receipt:
        """Make a shard's images and rows; whole files in images/ and staging/, none of them published."""
        began = perf_counter()
        rows: list[Row] = []
        left, batch = list(shard.items), self._first_batch(shard)
        while left:
            items, left = left[:batch], left[batch:]
            made, error = self._try(shard, items)
            if error is None:
                rows += made
            elif len(items) == 1:
                rows.append(self._row(shard, items[0]) | _failure(error))
            else:
                left, batch = items + left, len(items) // 2
                self.fitting[shard.layer] = batch
        return self._receipt(shard, rows, perf_counter() - began, batch)

    def _try(self, shard: Shard, items: list[Item]) -> tuple[list[Row], str | None]:
        """The rows of a batch; or none of them, and what the memory said that did not suffice."""
        try:
            return self._make_batch(shard, items), None
        except (torch.OutOfMemoryError, MemoryError) as error:
            said = f"{type(error).__name__}: {error}"
        except RuntimeError as error:
            if "can't allocate memory" not in str(error):  # torch's word on a CPU
                raise
            said = f"{type(error).__name__}: {error}"
        if self.work.device == "cuda":  # here, where no traceback holds the batch any more
            torch.cuda.empty_cache()
        return [], said

    def _make_batch(self, shard: Shard, items: list[Item]) -> list[Row]:
        began = perf_counter()
        made = self._optimize(shard, items)
        seconds = (perf_counter() - began) / len(items)
        images = made.images.float().cpu().numpy()
        rows = []
        for place, item in enumerate(items):
            row = self._row(shard, item)
            if made.status[place] == "nonfinite":
                rows.append(row | _non_finite(made.steps[place]))
                continue
            height, width = images[place].shape[1:]
            file = self._write(shard, item, images[place]) | {"width": width, "height": height}
            rows.append(row | _readings(made, place) | file | {"seconds": seconds})
        return rows

    def _write(self, shard: Shard, item: Item, image: np.ndarray) -> Row:
        feature = Feature(shard.model, shard.layer, item.channel)
        suffix = "" if shard.variant in self.work.homes else shard.variant[:6]
        path = image_path(feature, shard.metric, shard.target, item.seed, suffix)
        return {"image": path, "image_sha256": write_image(self.paths.root / path, image)}

    def _optimize(self, shard: Shard, items: list[Item]) -> Made:
        """The images of some items, each from its own random stream."""
        recipe, target = self.recipe, shard.target
        partners = tuple((p.layer, p.channel) for p in map(Feature.parse, target.partners))
        forward = self.loaded.forward([shard.layer, *(layer for layer, _ in partners)])
        fed = (lambda images: forward(self.loaded.preprocess(images))) if recipe.preprocess else forward
        seen = seen_in(recipe.precision, fed)
        channels = torch.tensor([item.channel for item in items], device=self.work.device)
        constant = self.work.constants[shard.metric]
        objective = FeatureObjective(
            seen, shard.layer, channels, target=target, partners=partners, metric=shard.metric, constant=constant
        )
        seeds = [noise_seed(shard.layer, item) for item in items]
        start = noise(seeds, recipe.octaves[0].size or self.card.input_size, *recipe.start)
        laid_out = start.to(self.work.device, memory_format=torch.channels_last)  # as the model's weights are
        return make_images(objective, laid_out, recipe)

    def _row(self, shard: Shard, item: Item) -> Row:
        said = {"device": self.device, "precision": self.recipe.precision, "created": datetime.now(UTC)}
        return task_columns(shard, item, self.card, self.recipe) | said

    def _first_batch(self, shard: Shard) -> int:
        """Images at once: as configured, else as many as the memory there is will hold, the same on every run."""
        asked = self.fitting.get(shard.layer, self.work.cluster.batch)
        if asked is not None or alone(self.recipe, self.work.device):
            return min(len(shard.items), asked or 1)
        layers = [find_layer(self.card, partner) for partner in shard.target.partners]
        layers += [layer for layer in self.card.layers if layer.name == shard.layer]
        largest = max(octave.size or 0 for octave in self.recipe.octaves)
        each = PASSES * max(layer.bytes for layer in layers) * (largest / self.card.input_size) ** 2
        fitting = max(1, int(_budget(self.work) / max(each, 1)))
        return min(len(shard.items), fitting)

    def _receipt(self, shard: Shard, rows: list[Row], seconds: float, batch: int) -> Receipt:
        stem = self.paths.staging / f"{shard.id}-{uuid.uuid4().hex[:8]}"
        done, failed = stem.with_suffix(".rows.parquet"), stem.with_suffix(".failed.parquet")
        finished = [row for row in rows if row["status"] != "failed"]
        failures = [row for row in rows if row["status"] == "failed"]
        if finished:
            write_rows(done, finished, INDEX)
        if failures:
            write_rows(failed, failures, FAILURES)
        dead = sum(row["status"] == "dead" for row in finished)
        return Receipt(
            shard=shard.id,
            rows=self.paths.relative(done) if finished else None,
            failures=self.paths.relative(failed) if failures else None,
            ok=len(finished) - dead,
            dead=dead,
            failed=len(failures),
            seconds=seconds,
            batch=batch,
            peak_bytes=_peak(self.work.device),
        )


def make_repeatable() -> None:
    """Have CUDA choose the same algorithms each time: the same shard must give the same bytes."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)


def _readings(made: Made, place: int) -> Row:
    return {
        "status": made.status[place],
        "score": made.scores[place].item(),
        "score_start": made.trace[place][0],
        "loss": made.losses[place].item(),
        "trace": made.trace[place],
        "activation": made.activations[place].cpu().numpy(),
        "steps": made.steps[place],
    }


def _non_finite(steps: int) -> Row:
    message = f"image or loss was no longer finite after {steps} steps; lower the recipe's lr, or use recipe=normalized"
    return {"status": "failed", "error_type": "NonFinite", "error_message": message, "attempts": 1, "steps": steps}


def _failure(said: str) -> Row:
    message = f"not even one image fits the memory there is: {said}"
    return {"status": "failed", "error_type": "OutOfMemory", "error_message": message, "attempts": 1}


def _budget(work: ImageWork) -> float:
    """Bytes for the activations of a batch; from the memory that the machine has, not from what is free just now."""
    if work.device == "cuda":
        return GPU_SHARE * torch.cuda.get_device_properties(0).total_memory * min(1.0, work.cluster.gpus_per_actor)
    return min(CPU_BUDGET, psutil.virtual_memory().total / 4 / (psutil.cpu_count() or 1))


def _peak(device: str) -> int:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
