"""Runs one stage of a job: makes the executor that the cluster config names, and drives all shards."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from atlas.config.schema import ClusterConfig
from atlas.engine.drive import Driver, Ending, Patience
from atlas.engine.events import Fail
from atlas.engine.executor import ClusterGone, Executor, InlineExecutor
from atlas.engine.progress import Count, StatusFile, display_for
from atlas.engine.publisher import Publisher
from atlas.engine.ray_process import RayProcess
from atlas.engine.signals import StopNow, StopRequest, stop_requests
from atlas.engine.threads import worker_threads
from atlas.engine.watchers import Watcher
from atlas.engine.work import Work
from atlas.engine.workers import actor_shape
from atlas.records import Shard
from atlas.sweep.shards import RATE


@dataclass(frozen=True)
class Resources:
    """The machines that a stage runs on."""

    cluster: ClusterConfig
    device: str  # cpu or cuda
    gpus: int  # CUDA devices that this machine shows


def run_stage(
    work: Work,
    shards: list[Shard],
    resources: Resources,
    *,
    publisher: Publisher,
    fail: Callable[[Fail], None],
    count: Count,
    status: StatusFile,
    watchers: Sequence[Watcher] = (),
) -> Ending:
    """Work until every shard is settled, or until somebody or something stops the stage.

    fail: records the one item of a shard that has failed for good. ClusterError: the cluster cannot be had.
    """
    inline, ending = resources.cluster.kind == "inline", Ending()
    with stop_requests(resources.cluster.grace, raising=inline) as stop:
        try:
            with (
                closing(_make_executor(work, resources, stop, most=len(shards))) as executor,
                closing(display_for(count)) as display,
            ):
                patience = Patience(resources.cluster, RATE[resources.device])
                keeping = {"fail": fail, "patience": patience, "count": count, "display": display, "status": status}
                driver = Driver(executor, publisher, **keeping, watchers=watchers)
                ending = driver.ending
                driver.run(shards, stop)
                if words := driver.account.words(*_priced(resources)):
                    display.say(words)
                return ending
        except StopNow:
            ending.stopped = f"stopped by {stop.name}"
        except ClusterGone as gone:
            ending.stopped = str(gone)
    return ending


def _priced(resources: Resources) -> tuple[str, float]:
    """What an actor's time is counted in, and how many of them it has."""
    cluster = resources.cluster
    if resources.device == "cuda":
        return "GPU", cluster.gpus_per_actor
    return "CPU", float(worker_threads(cluster.cpus_per_actor, resources.device))


def _make_executor(work: Work, resources: Resources, stop: StopRequest, *, most: int) -> Executor:
    """The executor that `cluster=` names, with at most `most` actors."""
    cluster, device = resources.cluster, resources.device
    if cluster.kind == "inline":
        return InlineExecutor(work, worker_threads(cluster.cpus_per_actor, device))
    return RayProcess(work, actor_shape(cluster, device, resources.gpus, most=most), cluster, stop)
