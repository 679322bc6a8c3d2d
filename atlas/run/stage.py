"""One stage of a job: shards worked off by an executor that suits them, watched, told of, and stoppable."""

from contextlib import closing
from dataclasses import dataclass

from atlas.config.schema import ClusterConfig
from atlas.records import Shard
from atlas.run.drive import Driver, Ending, Keeper, Watch
from atlas.run.progress import Count, StatusFile, display_for
from atlas.run.resources import make_executor
from atlas.run.signals import StopNow, stop_requests
from atlas.run.work import Work
from atlas.sweep.shards import RATE


@dataclass(frozen=True)
class Place:
    """Where a stage runs."""

    cluster: ClusterConfig
    device: str  # cpu or cuda
    gpus: int  # CUDA devices that this machine shows


def run_stage(
    work: Work, shards: list[Shard], place: Place, *, keeper: Keeper, count: Count, status: StatusFile
) -> Ending:
    """Until everything is settled, or somebody or something stops it."""
    executor = make_executor(work, place.cluster, device=place.device, gpus=place.gpus, shards=len(shards))
    with closing(executor), stop_requests() as stop, closing(display_for(count)) as display:
        watch = Watch(place.cluster, RATE[place.device])
        driver = Driver(executor, keeper, watch=watch, count=count, display=display, status=status)
        try:
            return driver.run(shards, stop)
        except StopNow:
            return Ending(stopped="stopped at once by a second signal", abandoned=driver.ending.abandoned)
