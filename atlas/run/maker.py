"""One pinned model that makes shards: a shard in; images, rows and a receipt out. Knows no Ray and no other worker."""

import uuid
from datetime import UTC, datetime
from time import perf_counter

import psutil
import torch

from atlas.optvis.objectives import FeatureObjective
from atlas.optvis.params import noise
from atlas.records import Feature, Item, ModelCard, Receipt, Shard
from atlas.run.images import Made, alone, make_images
from atlas.run.work import ImageWork
from atlas.store.images import write_image
from atlas.store.index import FAILURES, INDEX, Row, write_rows
from atlas.store.paths import AtlasPaths, image_path
from atlas.sweep.identity import noise_seed, task_id
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
        self.most: int | None = work.cluster.batch

    def make(self, shard: Shard) -> Receipt:
        """Make a shard's images and rows; whole files in images/ and staging/, none of them published."""
        began = perf_counter()
        rows: list[Row] = []
        failures: list[Row] = []
        left, batch = list(shard.items), self._first_batch(shard)
        while left:
            items, left = left[:batch], left[batch:]
            try:
                self._make_batch(shard, items, rows, failures)
            except (torch.OutOfMemoryError, MemoryError) as error:
                if len(items) == 1:
                    failures.append(self._row(shard, items[0]) | _failure(error))
                else:
                    left, batch = items + left, len(items) // 2
                    self.most = batch
                if self.work.device == "cuda":
                    torch.cuda.empty_cache()
        return self._receipt(shard, rows, failures, perf_counter() - began, batch)

    def _make_batch(self, shard: Shard, items: list[Item], rows: list[Row], failures: list[Row]) -> None:
        began = perf_counter()
        made = self._optimize(shard, items)
        seconds = (perf_counter() - began) / len(items)
        images = made.images.float().cpu().numpy()
        suffix = "" if shard.variant in self.work.homes else shard.variant[:6]
        for place, item in enumerate(items):
            row = self._row(shard, item)
            if made.status[place] == "nonfinite":
                failures.append(row | _non_finite(made.steps[place]))
                continue
            image = image_path(
                Feature(shard.model, shard.layer, item.channel), shard.metric, shard.target, item.seed, suffix
            )
            sha256 = write_image(self.paths.root / image, images[place])
            height, width = images[place].shape[1:]
            file = {"image": image, "image_sha256": sha256, "width": width, "height": height}
            rows.append(row | _readings(made, place) | file | {"seconds": seconds})

    def _optimize(self, shard: Shard, items: list[Item]) -> Made:
        """The images of some items, each from its own random stream."""
        recipe, target = self.recipe, shard.target
        partners = tuple((p.layer, p.channel) for p in map(Feature.parse, target.partners))
        forward = self.loaded.forward([shard.layer, *(layer for layer, _ in partners)])
        seen = (lambda images: forward(self.loaded.preprocess(images))) if recipe.preprocess else forward
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
        """The columns that are known before an image is made."""
        return {
            "feature": str(Feature(shard.model, shard.layer, item.channel)),
            "model": shard.model,
            "layer": shard.layer,
            "layer_index": shard.layer_index,
            "channel": item.channel,
            "target": shard.target.label,
            "metric": shard.metric,
            "recipe": self.recipe.name,
            "seed": item.seed,
            "device": self.device,
            "precision": self.recipe.precision,
            "weights": f"{self.card.weights}@{self.card.digest}",
            "task": task_id(shard, item),
            "created": datetime.now(UTC),
        }

    def _first_batch(self, shard: Shard) -> int:
        """Images at once: as configured, else as many as the memory there is will hold, the same on every run."""
        if self.most is None and alone(self.recipe, self.work.device):
            return 1
        layers = [find_layer(self.card, partner) for partner in shard.target.partners]
        layers += [layer for layer in self.card.layers if layer.name == shard.layer]
        largest = max(octave.size or 0 for octave in self.recipe.octaves)
        each = PASSES * max(layer.bytes for layer in layers) * (largest / self.card.input_size) ** 2
        fitting = max(1, int(_budget(self.work) / max(each, 1)))
        return min(len(shard.items), self.most or fitting)

    def _receipt(self, shard: Shard, rows: list[Row], failures: list[Row], seconds: float, batch: int) -> Receipt:
        stem = self.paths.staging / f"{shard.id}-{uuid.uuid4().hex[:8]}"
        done, failed = stem.with_suffix(".rows.parquet"), stem.with_suffix(".failed.parquet")
        if rows:
            write_rows(done, rows, INDEX)
        if failures:
            write_rows(failed, failures, FAILURES)
        dead = sum(row["status"] == "dead" for row in rows)
        return Receipt(
            shard=shard.id,
            rows=self.paths.relative(done) if rows else None,
            failures=self.paths.relative(failed) if failures else None,
            ok=len(rows) - dead,
            dead=dead,
            failed=len(failures),
            seconds=seconds,
            batch=batch,
            peak_bytes=_peak(self.work.device),
        )


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


def _failure(error: BaseException) -> Row:
    message = f"not even one image fits the memory there is: {error}"
    return {"status": "failed", "error_type": type(error).__name__, "error_message": message, "attempts": 1}


def _budget(work: ImageWork) -> float:
    """Bytes for the activations of a batch; from the memory that the machine has, not from what is free just now."""
    if work.device == "cuda":
        return GPU_SHARE * torch.cuda.get_device_properties(0).total_memory * min(1.0, work.cluster.gpus_per_actor)
    return min(CPU_BUDGET, psutil.virtual_memory().total / 4 / (psutil.cpu_count() or 1))


def _peak(device: str) -> int:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
