"""What atlases hold of a plan: images with what is known of them, and what every channel did along the way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from atlas.store.images import read_picture
from atlas.store.index import files_under, read_table, tasks_in
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import task_id
from atlas.sweep.plan import Plan

COLUMNS = (
    *("task", "feature", "model", "layer", "channel", "target", "metric", "seed"),
    *("status", "score", "image", "steps", "activation"),
)


@dataclass(frozen=True)
class Shown:
    """One image of an atlas, or what is known of one that could not be made."""

    row: dict[str, Any]
    root: Path

    @property
    def image(self) -> Image.Image | None:
        return read_picture(self.root / self.row["image"]) if self.row["status"] in ("ok", "dead") else None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None


def held(paths: AtlasPaths, plan: Plan) -> dict[str, Shown]:
    """What an atlas holds of a plan, by task."""
    wanted = {task for task, _ in tasks_of(plan)}
    folders = {paths.layer_index(shard.model, shard.layer) for shard in plan.shards}
    files = (file for folder in folders for file in files_under(folder))
    rows = (row for file in files for row in read_table(file, COLUMNS).to_pylist())
    return {row["task"]: Shown(row, paths.root) for row in rows if row["task"] in wanted}


def traced(paths: AtlasPaths, plan: Plan) -> set[str]:
    """Tasks of which an atlas knows what every channel did along the way."""
    folders = {paths.shard_trace(shard.model, shard.layer, "").parent for shard in plan.shards}
    return tasks_in(file for folder in folders for file in files_under(folder))


def along(paths: AtlasPaths, shown: Shown) -> list[dict[str, Any]]:
    """What every channel did while an image was made: rows of the view `traces`, by step."""
    files = files_under(paths.shard_trace(shown.model, shown.layer, "").parent)
    rows = (row for file in files for row in read_table(file).to_pylist())
    return sorted((row for row in rows if row["task"] == shown.task), key=lambda row: row["step"])


def tasks_of(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task, in the plan's order, and what is known of it before it is made."""
    for shard in plan.shards:
        for item in shard.items:
            known = {"model": shard.model, "layer": shard.layer, "channel": item.channel, "seed": item.seed}
            yield task_id(shard, item), known | {"metric": shard.metric, "status": "failed", "score": None}


def without(plan: Plan, held: set[str]) -> Plan:
    """A plan with only those of its tasks that are not held."""
    left = []
    for shard in plan.shards:
        items = tuple(item for item in shard.items if task_id(shard, item) not in held)
        if items:
            left.append(shard if len(items) == len(shard.items) else shard.only(items))
    return replace(plan, shards=tuple(left))
