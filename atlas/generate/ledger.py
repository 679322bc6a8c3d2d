"""What has become of every image: records failures, takes them back on request, and knows what is left to do."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from atlas.engine.events import Fail
from atlas.engine.publisher import Publisher
from atlas.generate.rows import task_columns
from atlas.records import ImageShard
from atlas.store.failure_text import failure_columns
from atlas.store.images import sha256_of
from atlas.store.index import FAILURES, Row, files_under, read_table, tasks_in, write_rows, write_table
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import part, task_id
from atlas.sweep.plan import Plan

REASONS = 3  # why images failed that are told at the end


class Ledger:
    """What index/ and failures/ hold of a plan: an image is settled when its row stands there, and not before."""

    def __init__(self, paths: AtlasPaths, plan: Plan, publisher: Publisher, *, full: bool = False) -> None:
        """full: what every channel does along the way is wanted, too, also of images that are there."""
        self.paths, self.plan, self.publisher, self.full = paths, plan, publisher, full

    def left_to_do(self) -> list[ImageShard]:
        """The shards with only those items that are neither in the index nor among the failures, layer by layer."""
        failed = self._failed()
        left: list[ImageShard] = []
        for (model, layer), group in groupby(self.plan.shards, key=lambda shard: (shard.model, shard.layer)):
            made = tasks_in(files_under(self.paths.layer_index(model, layer)))
            traced = tasks_in(files_under(self.paths.layer_traces(model, layer))) if self.full else made
            for shard in group:
                tasks = {task_id(shard, item) for item in shard.items}
                if unmade := part(shard, tasks - failed - made):
                    left.append(unmade)
                if untraced := part(shard, tasks & made - traced):
                    left.append(replace(untraced, trace_only=True))
        return left

    def _failed(self) -> set[str]:
        """The tasks on record as failed. A file may go meanwhile: another part of the job tries its images again."""
        failed: set[str] = set()
        for path in files_under(self.paths.failures):
            with suppress(FileNotFoundError):
                failed |= tasks_in([path])
        return failed

    def planned(self) -> set[str]:
        """The tasks of this plan."""
        return {task_id(shard, item) for shard in self.plan.shards for item in shard.items}

    def forget_orphans(self) -> None:
        """Take back what is kept of images of this plan that are not there: a run that was killed between the two left it."""
        missing = self.planned() - tasks_in(files_under(self.paths.index))
        for path in files_under(self.paths.traces):
            _keep(path, lambda row: row["task"] not in missing)

    def forget_failures(self) -> int:
        """Take the failures of this plan back, so that they are left to do again; how many there were."""
        planned = self.planned()
        return sum(_keep(path, lambda row: row["task"] not in planned) for path in files_under(self.paths.failures))

    def forget_broken(self) -> int:
        """Take back the rows whose image is missing or is not the one they tell of; how many there were.

        What was kept of how those came to be goes too where it is wanted, for it is made again with them.
        """
        before = tasks_in(files_under(self.paths.index)) if self.full else set()
        broken = sum(_keep(path, self._is_whole) for path in files_under(self.paths.index))
        if self.full and broken:
            gone = before - tasks_in(files_under(self.paths.index))
            for path in files_under(self.paths.traces):
                _keep(path, lambda row: row["task"] not in gone)
        return broken

    def _is_whole(self, row: Row) -> bool:
        image = self.paths.root / row["image"]
        return image.is_file() and sha256_of(image) == row["image_sha256"]

    def count_failures(self) -> int:
        """How many images of this plan are on record as failed."""
        failed = self._failed()
        return (
            sum(task_id(shard, item) in failed for shard in self.plan.shards for item in shard.items) if failed else 0
        )

    def failure_reasons(self) -> list[str]:
        """Why images of this plan have failed, each reason once, with how many."""
        planned = self.planned()
        columns = ["task", "error_type", "error_message"]
        rows = (row for path in files_under(self.paths.failures) for row in read_table(path, columns).to_pylist())
        reasons = Counter(
            f"{row['error_type']}: {last_line(row['error_message'])}" for row in rows if row["task"] in planned
        )
        return [f"{reason} ({count} images)" for reason, count in reasons.most_common(REASONS)]

    def fail(self, command: Fail) -> None:
        """Record the one image of a shard as failed."""
        shard = command.shard
        assert isinstance(shard, ImageShard), "a ledger keeps images"
        item = shard.items[0]
        card, recipe = self.plan.cards[shard.model], self.plan.recipes[shard.model]
        row = task_columns(shard, item, card, recipe) | {
            "status": "failed",
            "precision": recipe.precision,
            "created": datetime.now(UTC),
            "attempts": command.attempts,
            **failure_columns(command.error_type, command.message),
        }
        self.publisher.lock.check()
        if shard.trace_only:  # its image is in the index; what is wanted beside it is tried again by the next run
            self.publisher.log("untraced", feature=row["feature"], error_type=command.error_type)
            return
        write_rows(self.paths.shard_failures(f"{shard.id}-{command.attempts}"), [row], FAILURES)
        self.publisher.log("failed", feature=row["feature"], error_type=command.error_type, attempts=command.attempts)


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


def last_line(message: str) -> str:
    """The last line of a message, which of a traceback is the error."""
    return next(reversed(message.strip().splitlines()), "")
