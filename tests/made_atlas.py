"""Small real atlases made through the store: what a run leaves behind, without running one."""

import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from atlas.records import Address, Target
from atlas.store.classes import CLASSES
from atlas.store.files import write_json
from atlas.store.images import to_pil, write_pixels
from atlas.store.index import FAILURES, INDEX, Row, write_rows
from atlas.store.manifest import new_manifest, write_manifest
from atlas.store.paths import AtlasPaths, image_path, safe
from atlas.store.plans import write_plan

WEIGHTS = "none(seed 0)@abc"
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """A layer as it is made: all channels of `channels` planned, those of `done` in the index, the rest left to do."""

    model: str
    layer: str
    channels: int
    done: int
    index: int = 0
    dead: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    metrics: tuple[str, ...] = ("l1", "l2")
    size: int = 16


LAYERS = (
    Made("alpha", "conv1", 8, 8, index=0, dead=(3,)),
    Made("alpha", "conv2", 12, 12, index=1, failed=(5,)),
    Made("beta net", "block/0", 20, 16, index=0),
)
WHOLE = (Made("alpha", "conv1", 6, 6, dead=(2,)),)


def make_atlas(root: Path, layers: Sequence[Made] = LAYERS, shard: int = 4, images: bool = True) -> AtlasPaths:
    """Write an atlas at `root`: manifest, one plan, an index file for every `shard` rows, failures and images."""
    shutil.copytree(_template(tuple(layers), shard, images).name, root, dirs_exist_ok=True)
    paths = AtlasPaths(root)
    write_manifest(paths.manifest, new_manifest(root.name))
    return paths


@cache
def _template(layers: tuple[Made, ...], shard: int, images: bool) -> TemporaryDirectory:
    """The same atlas, made once and then copied: flushing every file to the disk takes long."""
    folder = TemporaryDirectory(prefix="atlas-test-")
    paths = AtlasPaths(folder.name)
    write_plan(paths.plans / "plan.parquet", (row for made in layers for row in _plan_rows(made)))
    for made in layers:
        for metric in made.metrics:
            _write_layer(paths, made, metric, shard, images)
    return folder


def write_names(paths: AtlasPaths, names: dict[str, str], weights: str = WEIGHTS) -> None:
    """Class names by address."""
    features = [(Address.parse(feature), name) for feature, name in names.items()]
    rows = [
        {"feature": str(f), "model": f.model, "layer": f.layer, "channel": f.channel, "weights": weights, "name": name}
        for f, name in features
    ]
    write_rows(paths.classes, rows, CLASSES)


def write_status(paths: AtlasPaths, state: str, **changes: Any) -> None:
    """status.json as the driver writes it."""
    value = {
        "state": state,
        "name": paths.root.name,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": "2026-01-02T03:04:05+00:00",
        "updated": "2026-01-02T03:05:05+00:00",
        "stage": "images",
        "total": 80,
        "done": 71,
        "dead": 2,
        "failed": 2,
        "left": 8,
        "rate": 3.5,
        "eta_seconds": 75.0,
        "message": None,
        "workers": [
            {
                "slot": 0,
                "where": "node:41",
                "model": "beta net",
                "doing": "beta net/block/0 l2",
                "items": 4,
                "since": "2026-01-02T03:05:01+00:00",
            }
        ],
    }
    write_json(paths.status, {**value, **changes})


def task_of(made: Made, metric: str, channel: int) -> str:
    return blake2b(f"{made.model}/{made.layer}:{channel}/{metric}".encode(), digest_size=10).hexdigest()


def _write_layer(paths: AtlasPaths, made: Made, metric: str, shard: int, images: bool) -> None:
    done = [channel for channel in range(made.done) if channel not in made.failed]
    for number, start in enumerate(range(0, len(done), shard)):
        rows = [_done_row(paths, made, metric, channel, images) for channel in done[start : start + shard]]
        write_rows(paths.shard_index(made.model, made.layer, f"{metric}-{number}"), rows, INDEX)
    for channel in made.failed:
        failure = {"status": "failed", "error_type": "NonFinite", "error_message": "no longer finite", "attempts": 1}
        row = _row(made, metric, channel) | failure
        write_rows(paths.shard_failures(f"{safe(made.layer, 200)}-{metric}-{channel}"), [row], FAILURES)


def _plan_rows(made: Made) -> Iterator[Row]:
    for metric in made.metrics:
        for channel in range(made.channels):
            row = _row(made, metric, channel)
            del row["created"], row["device"], row["precision"]
            yield row | {"shard": f"{metric}-{channel // 4}"}


def _row(made: Made, metric: str, channel: int) -> Row:
    return {
        "feature": str(Address(made.model, made.layer, channel)),
        "model": made.model,
        "layer": made.layer,
        "layer_index": made.index,
        "channel": channel,
        "target": "channel",
        "metric": metric,
        "recipe": "quick",
        "seed": 0,
        "device": "cpu",
        "precision": "float32",
        "weights": WEIGHTS,
        "task": task_of(made, metric, channel),
        "created": CREATED,
    }


def _done_row(paths: AtlasPaths, made: Made, metric: str, channel: int, images: bool) -> Row:
    dead = channel in made.dead
    image = image_path(Address(made.model, made.layer, channel), metric, Target(), 0)
    sha256 = write_pixels(paths.root / image, to_pil(picture(channel, made.size, dead))) if images else "0" * 64
    return _row(made, metric, channel) | {
        "status": "dead" if dead else "ok",
        "score": 0.0 if dead else channel + 0.5,
        "score_start": 0.0,
        "loss": 1.0,
        "trace": [0.0, 0.25, 0.5],
        "activation": np.linspace(0, 1, made.channels, dtype=np.float32),
        "image": image,
        "image_sha256": sha256,
        "width": made.size,
        "height": made.size,
        "steps": 20,
        "seconds": 0.25,
    }


def picture(channel: int, size: int, dead: bool = False) -> np.ndarray:
    """Smooth coloured noise (3, size, size) in [0, 1], another for every channel; plain gray for a dead one."""
    if dead:
        return np.full((3, size, size), 0.5, np.float32)
    y, x = np.mgrid[0:size, 0:size] / size
    random = np.random.default_rng(channel)
    waves = sum(
        random.normal(size=(3, 1, 1)) / f * np.sin(2 * np.pi * (f * (x * a + y * b)) + p)
        for f, a, b, p in zip(
            random.uniform(1, 9, 14), *random.normal(size=(2, 14)), random.uniform(0, 7, 14), strict=True
        )
    )
    return (0.5 + 0.5 * np.tanh(1.5 * waves)).astype(np.float32)
