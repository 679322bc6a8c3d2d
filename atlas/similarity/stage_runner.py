"""What the stages of `atlas similarity` share: the atlas and its models, where work runs,
and who keeps what it leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from atlas.config.schema import SweepConfig
from atlas.engine.drive import Ending
from atlas.engine.events import Fail
from atlas.engine.progress import Count, StatusFile
from atlas.engine.publisher import Publisher
from atlas.engine.stage import Resources, run_stage
from atlas.engine.work import Work
from atlas.records import Shard
from atlas.similarity.source import Source
from atlas.store.paths import AtlasPaths
from atlas.sweep.shards import RATE

INLINE_SECONDS = 10.0  # of one actor's work: less is done in this process before Ray has started

RunStage = Callable[..., Ending]  # called as `run_stage` is


class FailureList:
    """Lists the items that failed, for people: a picture that failed is simply left to do."""

    def __init__(self, publisher: Publisher) -> None:
        self.sentences: list[str] = []
        self._log = publisher.log

    def add(self, command: Fail) -> None:
        """Note the one item of a shard that failed."""
        reason = command.message.strip().rpartition("\n")[2]
        self.sentences.append(f"{command.shard.label}, {_name(command.shard.items[0])}: {reason}")
        self._log("failed", doing=command.shard.label, error_type=command.error_type, message=command.message)


def _name(item: Any) -> str:
    """A picture or a layer by its name, a block by its file's."""
    names = (getattr(item, key, "") for key in ("image", "id", "file", "name"))
    return next(filter(None, names), "")


@dataclass
class StageRunner:
    """Runs the stages of one `atlas similarity` on one atlas, which it holds locked."""

    config: SweepConfig
    source: Source
    resources: Resources
    publisher: Publisher
    status: StatusFile
    run_stage: RunStage = run_stage
    failures: FailureList = field(init=False)

    def __post_init__(self) -> None:
        self.failures = FailureList(self.publisher)

    @property
    def paths(self) -> AtlasPaths:
        return self.source.paths

    def run(self, work: Work, shards: list[Shard], count: Count) -> Ending:
        """Run a stage to its end, and report it in status.json and events.jsonl."""
        log = self.publisher.log
        log("begin", stage=count.unit, left=count.left, total=count.total)
        keeping = {"publisher": self.publisher, "fail": self.failures.add}
        ending = self.run_stage(work, shards, self._resources_for(shards), count=count, status=self.status, **keeping)
        state = "interrupted" if ending.stopped else "done"
        self.status.write(state, count, [], ending.stopped)
        log("end", stage=count.unit, state=state, done=count.done, failed=count.failed, left=count.left)
        return ending

    def _resources_for(self, shards: list[Shard]) -> Resources:
        """Where the job runs; in this process when there is so little to do that starting Ray would take longer."""
        is_little = sum(shard.cost for shard in shards) < INLINE_SECONDS * RATE[self.resources.device]
        if self.resources.cluster.kind != "local" or not is_little:
            return self.resources
        return replace(self.resources, cluster=replace(self.resources.cluster, kind="inline"))
