"""What the stages of `atlas similarity` share: the atlas and its models, where work runs,
and who keeps what it leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from atlas.config.schema import SweepConfig
from atlas.records import Shard
from atlas.run.drive import Ending
from atlas.run.events import Fail
from atlas.run.progress import Count, StatusFile
from atlas.run.publisher import Publisher
from atlas.run.stage import Place, run_stage
from atlas.run.work import Work
from atlas.similarity.source import Source
from atlas.store.paths import AtlasPaths
from atlas.sweep.shards import RATE

INLINE_SECONDS = 10.0  # of one actor's work: less is done in this process before Ray has started

RunStage = Callable[..., Ending]  # called as `run_stage` is


class SimilarityKeeper:
    """Publishes responses, and lists what failed: a picture that failed is simply left to do."""

    def __init__(self, publisher: Publisher) -> None:
        self.failures: list[str] = []
        self.commit, self.log = publisher.commit, publisher.log

    def fail(self, command: Fail) -> None:
        """Note the one item of a shard that failed."""
        reason = command.message.strip().rpartition("\n")[2]
        self.failures.append(f"{command.shard.label}, {_name(command.shard.items[0])}: {reason}")
        self.log("failed", doing=command.shard.label, error_type=command.error_type, message=command.message)


def _name(item: Any) -> str:
    """A picture by its name, a block by its file's."""
    return getattr(item, "image", "") or getattr(item, "id", "") or getattr(item, "file", "")


@dataclass
class StageRunner:
    """Runs the stages of one `atlas similarity` on one atlas, which it holds locked."""

    config: SweepConfig
    source: Source
    place: Place
    publisher: Publisher
    status: StatusFile
    run_stage: RunStage = run_stage
    keeper: SimilarityKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = SimilarityKeeper(self.publisher)

    @property
    def paths(self) -> AtlasPaths:
        return self.source.paths

    def run(self, work: Work, shards: list[Shard], count: Count) -> Ending:
        """Run a stage to its end, and report it in status.json and events.jsonl."""
        log = self.publisher.log
        log("begin", stage=count.unit, left=count.left, total=count.total)
        place = self._place_for(shards)
        ending = self.run_stage(work, shards, place, keeper=self.keeper, count=count, status=self.status)
        state = "interrupted" if ending.stopped else "done"
        self.status.write(state, count, [], ending.stopped)
        log("end", stage=count.unit, state=state, done=count.done, failed=count.failed, left=count.left)
        return ending

    def _place_for(self, shards: list[Shard]) -> Place:
        """Where the job runs; in this process when there is so little to do that starting Ray would take longer."""
        is_little = sum(shard.cost for shard in shards) < INLINE_SECONDS * RATE[self.place.device]
        if self.place.cluster.kind != "local" or not is_little:
            return self.place
        return replace(self.place, cluster=replace(self.place.cluster, kind="inline"))
