"""What the stages of `atlas similarity` share: the atlas, its models and cards, where work runs, and who keeps it."""

from dataclasses import dataclass, replace
from typing import Any

from atlas.config.schema import SweepConfig
from atlas.records import Shard
from atlas.run.drive import Ending
from atlas.run.events import Fail
from atlas.run.progress import Count, StatusFile
from atlas.run.publisher import Publisher
from atlas.run.stage import Resources, run_stage
from atlas.run.work import Work
from atlas.similarity.source import Source
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from atlas.sweep.shards import RATE

SMALL = 10.0  # seconds of one actor's work


class SimilarityKeeper(Publisher):
    """Publishes responses; remembers what failed, since a picture that failed is simply left to do."""

    def __init__(self, paths: AtlasPaths, lock: Lock) -> None:
        super().__init__(paths, lock)
        self.failures: list[str] = []

    def fail(self, command: Fail) -> None:
        """Note the one item of a shard that failed."""
        said = command.message.strip().rpartition("\n")[2]
        self.failures.append(f"{command.shard.label}, {_name(command.shard.items[0])}: {said}")
        self.log("failed", doing=command.shard.label, error_type=command.error_type, message=command.message)


def _name(item: Any) -> str:
    """A picture by its name, a block by its file's."""
    return getattr(item, "image", "") or getattr(item, "id", "") or getattr(item, "file", "")


@dataclass
class Job:
    """One run of `atlas similarity` on one atlas, which it holds locked."""

    config: SweepConfig
    held: Source
    place: Resources
    keeper: SimilarityKeeper
    status: StatusFile

    @property
    def paths(self) -> AtlasPaths:
        return self.held.paths

    def run(self, work: Work, shards: list[Shard], count: Count) -> Ending:
        """Work a stage off, and say so in status.json and events.jsonl."""
        self.keeper.log("begin", stage=count.unit, left=count.left, total=count.total)
        ending = run_stage(
            work,
            shards,
            self._place_for(shards),
            publisher=self.keeper,
            fail=self.keeper.fail,
            count=count,
            status=self.status,
        )
        state = "interrupted" if ending.stopped else "done"
        self.status.write(state, count, [], ending.stopped)
        self.keeper.log("end", stage=count.unit, state=state, done=count.done, failed=count.failed, left=count.left)
        return ending

    def _place_for(self, shards: list[Shard]) -> Resources:
        """Where the job runs; in this process when there is so little to do that starting Ray would take longer."""
        little = sum(shard.cost for shard in shards) < SMALL * RATE[self.place.device]
        if self.place.cluster.kind != "local" or not little:
            return self.place
        return replace(self.place, cluster=replace(self.place.cluster, kind="inline"))
