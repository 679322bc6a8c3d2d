"""What has become of every task: publishes finished shards, records failures, and knows what is left to do."""

import json
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from atlas.records import Receipt, Shard
from atlas.run.events import Fail
from atlas.run.rows import task_columns
from atlas.store.files import publish, write_bytes
from atlas.store.images import sha256_of
from atlas.store.index import FAILURES, Row, files_under, read_table, tasks_in, write_rows, write_table
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import task_id
from atlas.sweep.plan import Plan, narrow


class Ledger:
    """The only writer of index/ and failures/: a shard is done when its file stands there, and not before."""

    def __init__(self, paths: AtlasPaths, plan: Plan, lock: Lock) -> None:
        self.paths, self.plan, self.lock = paths, plan, lock
        self.nonce = f"nonce-{uuid.uuid4().hex}"  # a file that every worker must see before it begins

    def left_to_do(self) -> list[Shard]:
        """The shards with only those items that are neither in the index nor among the failures, layer by layer."""
        failed = tasks_in(files_under(self.paths.failures))
        left: list[Shard] = []
        for (model, layer), group in groupby(self.plan.shards, key=lambda shard: (shard.model, shard.layer)):
            settled = failed | tasks_in(files_under(self.paths.layer_index(model, layer)))
            if not settled:
                left.extend(group)
                continue
            for shard in group:
                items = tuple(item for item in shard.items if task_id(shard, item) not in settled)
                if items:
                    left.append(shard if len(items) == len(shard.items) else narrow(shard, items))
        return left

    def forget_failures(self) -> int:
        """Take the failures of this plan back, so that they are left to do again; how many there were."""
        asked = {task_id(shard, item) for shard in self.plan.shards for item in shard.items}
        return sum(_keep(path, lambda row: row["task"] not in asked) for path in files_under(self.paths.failures))

    def forget_broken(self) -> int:
        """Take back the rows whose image is missing or is not the one they tell of; how many there were."""
        return sum(_keep(path, self._is_whole) for path in files_under(self.paths.index))

    def _is_whole(self, row: Row) -> bool:
        image = self.paths.root / row["image"]
        return image.is_file() and sha256_of(image) == row["image_sha256"]

    def count_failures(self) -> int:
        """How many images of this plan are on record as failed."""
        failed = tasks_in(files_under(self.paths.failures))
        return (
            sum(task_id(shard, item) in failed for shard in self.plan.shards for item in shard.items) if failed else 0
        )

    def sweep_staging(self) -> None:
        """Remove what killed runs left: nothing in staging/ is finished work, nor is a half-written file elsewhere."""
        shutil.rmtree(self.paths.staging, ignore_errors=True)
        self.paths.staging.mkdir(parents=True, exist_ok=True)
        write_bytes(self.paths.staging / self.nonce, b"")
        for half in self.paths.root.rglob(".*.part"):
            half.unlink(missing_ok=True)

    def commit(self, receipt: Receipt, shard: Shard) -> None:
        """Publish a worker's files; from here on they are part of the atlas. OSError: nothing has changed, try again."""
        self.lock.check()
        if receipt.failures:
            staged = self.paths.root / receipt.failures
            publish(staged, self.paths.shard_failures(staged.name.partition(".")[0]))
        if receipt.rows:
            publish(self.paths.root / receipt.rows, self.paths.shard_index(shard.model, shard.layer, shard.id))
        self.log(
            "commit", shard=shard.id, model=shard.model, layer=shard.layer, metric=shard.metric, **_counts(receipt)
        )

    def fail(self, command: Fail) -> None:
        """Record the one image of a shard as failed."""
        shard, item = command.shard, command.shard.items[0]
        card, recipe = self.plan.cards[shard.model], self.plan.recipes[shard.model]
        row = task_columns(shard, item, card, recipe) | {
            "status": "failed",
            "precision": recipe.precision,
            "created": datetime.now(UTC),
            "error_type": command.error_type,
            "error_message": command.message,
            "attempts": command.attempts,
        }
        self.lock.check()
        write_rows(self.paths.shard_failures(f"{shard.id}-{command.attempts}"), [row], FAILURES)
        self.log("failed", feature=row["feature"], error_type=command.error_type, attempts=command.attempts)

    def log(self, event: str, **facts: Any) -> None:
        """Append a line to events.jsonl; a full disk must not end a run for the sake of its diary."""
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts})
        with suppress(OSError), open(self.paths.events, "a") as file:
            file.write(line + "\n")


def _keep(path: Path, keep: Callable[[Row], bool]) -> int:
    """Leave only some rows of a file, or no file when none is left; how many rows went."""
    table = read_table(path)
    names = [name for name in ("task", "image", "image_sha256") if name in table.schema.names]
    kept = [keep(row) for row in table.select(names).to_pylist()]
    if not any(kept):
        path.unlink()
    elif not all(kept):
        write_table(path, table.filter(pa.array(kept)))
    return kept.count(False)


def _counts(receipt: Receipt) -> dict[str, Any]:
    return {
        "ok": receipt.ok,
        "dead": receipt.dead,
        "failed": receipt.failed,
        "seconds": round(receipt.seconds, 2),
        "batch": receipt.batch,
        "peak_mib": receipt.peak_bytes >> 20,
    }
