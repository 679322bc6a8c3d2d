"""What an atlas holds of a plan: images with their status, and the activations of every channel on the
way to one.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from PIL import Image

from atlas.store.images import read_picture
from atlas.store.index import files_under, read_table, tasks_in
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import part, task_id
from atlas.sweep.plan import Plan

STOCK_COLUMNS = ("task", "model", "layer", "channel", "status", "image")


@dataclass(frozen=True)
class StockImage:
    """One image of an atlas, or the channel and status of one that could not be made."""

    task: str
    model: str
    layer: str
    channel: int
    status: str  # ok, dead or failed
    path: Path | None  # None where there is no image

    @property
    def address(self) -> str:
        return f"{self.model}/{self.layer}:{self.channel}"

    @property
    def image(self) -> Image.Image | None:
        return None if self.path is None else read_picture(self.path)


def stock_of(paths: AtlasPaths, plan: Plan) -> dict[str, StockImage]:
    """The images of a plan that an atlas holds, by task."""
    wanted = {image.task for image in placeholders(plan)}
    folders = {paths.layer_index(shard.model, shard.layer) for shard in plan.shards}
    files = (file for folder in folders for file in files_under(folder))
    rows = (row for file in files for row in read_table(file, STOCK_COLUMNS).to_pylist() if row["task"] in wanted)
    return {row["task"]: StockImage(path=paths.root / row.pop("image"), **row) for row in rows}


def placeholders(plan: Plan) -> Iterator[StockImage]:
    """Yield for every task, in the plan's order, what stands for it where there is no image: a failed one."""
    for shard in plan.shards:
        for item in shard.items:
            yield StockImage(task_id(shard, item), shard.model, shard.layer, item.channel, "failed", None)


def traced_tasks(paths: AtlasPaths, plan: Plan) -> set[str]:
    """Tasks for which an atlas has the activations of every channel on the way."""
    folders = {paths.layer_traces(shard.model, shard.layer) for shard in plan.shards}
    return tasks_in(file for folder in folders for file in files_under(folder))


def activations(paths: AtlasPaths, image: StockImage) -> list[tuple[int, list[float]]]:
    """Steps, each with the mean activation of every channel, while an image was made; the last is the finished image."""
    tables = (
        (paths.layer_traces(image.model, image.layer), "step"),
        (paths.layer_index(image.model, image.layer), "steps"),
    )
    return [
        (row[step], row["activation"])
        for folder, step in tables
        for row in sorted(_rows(folder, image.task, step), key=lambda row: row[step])
    ]


def _rows(folder: Path, task: str, step: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one task in the files of a folder; `step` names the column of its step."""
    for file in files_under(folder):
        rows = read_table(file, ["task", step, "activation"])
        yield from rows.filter(pc.field("task") == task).to_pylist()


def left_of(plan: Plan, done: Collection[str]) -> Plan:
    """A plan of those tasks that are not done."""
    left = {image.task for image in placeholders(plan)}.difference(done)
    return replace(plan, shards=tuple(rest for shard in plan.shards if (rest := part(shard, left))))
