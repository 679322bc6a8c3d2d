"""What atlases hold of a plan: images with what is known of them, and what every channel did along the way."""

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

COLUMNS = ("task", "model", "layer", "channel", "status", "image")


@dataclass(frozen=True)
class StockImage:
    """One image of an atlas, or what is known of one that could not be made."""

    task: str
    model: str
    layer: str
    channel: int
    status: str  # ok, dead or failed
    place: Path | None  # of the image; None where there is none

    @property
    def image(self) -> Image.Image | None:
        return None if self.place is None else read_picture(self.place)


def held(paths: AtlasPaths, plan: Plan) -> dict[str, StockImage]:
    """What an atlas holds of a plan, by task."""
    wanted = {one.task for one in unmade(plan)}
    folders = {paths.layer_index(shard.model, shard.layer) for shard in plan.shards}
    files = (file for folder in folders for file in files_under(folder))
    rows = (row for file in files for row in read_table(file, COLUMNS).to_pylist() if row["task"] in wanted)
    return {row["task"]: StockImage(place=paths.root / row.pop("image"), **row) for row in rows}


def unmade(plan: Plan) -> Iterator[StockImage]:
    """Every task, in the plan's order, as it is shown where there is no image of it."""
    for shard in plan.shards:
        for item in shard.items:
            yield StockImage(task_id(shard, item), shard.model, shard.layer, item.channel, "failed", None)


def traced(paths: AtlasPaths, plan: Plan) -> set[str]:
    """Tasks of which an atlas knows what every channel did along the way."""
    folders = {paths.layer_traces(shard.model, shard.layer) for shard in plan.shards}
    return tasks_in(file for folder in folders for file in files_under(folder))


def along(paths: AtlasPaths, shown: StockImage) -> list[tuple[int, list[float]]]:
    """Steps, and what every channel did at each while an image was made; the last is of the finished image."""
    places = (
        (paths.layer_traces(shown.model, shown.layer), "step"),
        (paths.layer_index(shown.model, shown.layer), "steps"),
    )
    return [
        (row[step], row["activation"])
        for folder, step in places
        for row in sorted(_of(shown, folder, step), key=lambda row: row[step])
    ]


def _of(shown: StockImage, folder: Path, step: str) -> Iterator[dict[str, Any]]:
    """The rows of one image in the files of a folder."""
    for file in files_under(folder):
        rows = read_table(file, ["task", step, "activation"])
        yield from rows.filter(pc.field("task") == shown.task).to_pylist()


def without(plan: Plan, held: Collection[str]) -> Plan:
    """A plan with only those of its tasks that are not held."""
    left = {one.task for one in unmade(plan)}.difference(held)
    return replace(plan, shards=tuple(some for shard in plan.shards if (some := part(shard, left))))
