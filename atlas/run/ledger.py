"""What has become of every task: publishes finished shards, records failures, and knows what is left to do."""

import json
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from atlas.records import Feature, Receipt, Shard
from atlas.run.events import Fail
from atlas.store.files import publish
from atlas.store.index import FAILURES, Row, files_under, read_table, tasks_in, write_rows, write_table
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import fingerprint, task_id
from atlas.sweep.plan import narrow


class Ledger:
    """The only writer of index/ and failures/: a shard is done when its file stands there, and not before."""

    def __init__(self, paths: AtlasPaths) -> None:
        self.paths = paths

    def left_to_do(self, shards: Iterable[Shard]) -> list[Shard]:
        """The shards with only those items that are neither in the index nor among the failures, layer by layer."""
        failed = tasks_in(files_under(self.paths.failures))
        left = []
        for (model, layer), group in groupby(shards, key=lambda shard: (shard.model, shard.layer)):
            settled = failed | tasks_in(files_under(self.paths.layer_index(model, layer)))
            if not settled:
                left.extend(group)
                continue
            for shard in group:
                items = tuple(item for item in shard.items if task_id(shard, item) not in settled)
                if items:
                    left.append(shard if len(items) == len(shard.items) else narrow(shard, items))
        return left

    def forget_failures(self, shards: Iterable[Shard]) -> int:
        """Take the failures of these shards back, so that they are left to do again; how many there were."""
        asked = {task_id(shard, item) for shard in shards for item in shard.items}
        forgotten = 0
        for path in files_under(self.paths.failures):
            table = read_table(path)
            keep = table.filter(pa.array([task not in asked for task in table.column("task").to_pylist()]))
            forgotten += len(table) - len(keep)
            if len(keep):
                write_table(path, keep)
            else:
                path.unlink()
        return forgotten

    def count_failures(self, shards: Iterable[Shard]) -> int:
        """How many images of these shards are on record as failed."""
        failed = tasks_in(files_under(self.paths.failures))
        return sum(task_id(shard, item) in failed for shard in shards for item in shard.items) if failed else 0

    def sweep_staging(self) -> None:
        """Remove what killed runs left: nothing in staging/ is finished work, nor is a half-written file elsewhere."""
        shutil.rmtree(self.paths.staging, ignore_errors=True)
        self.paths.staging.mkdir(parents=True, exist_ok=True)
        for half in self.paths.root.rglob(".*.part"):
            half.unlink(missing_ok=True)

    def commit(self, receipt: Receipt, shard: Shard) -> None:
        """Publish a worker's files; from here on they are part of the atlas. OSError leaves them to be made again."""
        if receipt.failures:
            publish(self.paths.root / receipt.failures, self.paths.shard_failures(self._failure_name(shard)))
        if receipt.rows:
            publish(self.paths.root / receipt.rows, self.paths.shard_index(shard.model, shard.layer, shard.id))
        self.log(
            "commit", shard=shard.id, model=shard.model, layer=shard.layer, metric=shard.metric, **_counts(receipt)
        )

    def fail(self, command: Fail) -> None:
        """Record the one image of a shard as failed."""
        shard, item = command.shard, command.shard.items[0]
        row: Row = {
            "feature": str(Feature(shard.model, shard.layer, item.channel)),
            "model": shard.model,
            "layer": shard.layer,
            "layer_index": shard.layer_index,
            "channel": item.channel,
            "target": shard.target.label,
            "metric": shard.metric,
            "seed": item.seed,
            "status": "failed",
            "task": task_id(shard, item),
            "created": datetime.now(UTC),
            "error_type": command.error_type,
            "error_message": command.message,
            "attempts": command.attempts,
        }
        write_rows(self.paths.shard_failures(self._failure_name(shard)), [row], FAILURES)
        self.log("failed", feature=row["feature"], error_type=command.error_type, attempts=command.attempts)

    def log(self, event: str, **facts: Any) -> None:
        """Append a line to events.jsonl; a full disk must not end a run for the sake of its diary."""
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts})
        with suppress(OSError), open(self.paths.events, "a") as file:
            file.write(line + "\n")

    def _failure_name(self, shard: Shard) -> str:
        """A name of its own for each record: the same shard may fail, be retried, and fail again."""
        return f"{shard.id}-{fingerprint(uuid.uuid4().hex, 4)}"


def _counts(receipt: Receipt) -> dict[str, Any]:
    return {
        "ok": receipt.ok,
        "dead": receipt.dead,
        "failed": receipt.failed,
        "seconds": round(receipt.seconds, 2),
        "batch": receipt.batch,
        "peak_mib": receipt.peak_bytes >> 20,
    }
