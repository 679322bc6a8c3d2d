"""From what a cluster config asks and what the machine has to an executor."""

import os

from atlas.config.schema import ClusterConfig
from atlas.run.executor import Executor, InlineExecutor
from atlas.run.work import Work


def make_executor(work: Work, cluster: ClusterConfig, *, device: str, gpus: int, shards: int) -> Executor:
    """The executor that `cluster=` names, with no more actors than shards."""
    cpus = threads(cluster, device)
    if cluster.kind == "inline":
        return InlineExecutor(work, cpus)
    from atlas.run.ray_executor import ActorShape, RayExecutor

    share = cluster.gpus_per_actor if device == "cuda" else 0.0
    shape = ActorShape(actor_count(cluster, device, gpus), cpus, share, most=shards)
    return RayExecutor(work, shape, cluster.address)


def actor_count(cluster: ClusterConfig, device: str, gpus: int) -> int | None:
    """How many actors a run has; None: as many as the running cluster turns out to hold."""
    if cluster.kind == "inline":
        return 1
    if cluster.actors is not None or cluster.kind == "ray":
        return cluster.actors
    if device == "cuda":
        return max(1, int(gpus / cluster.gpus_per_actor))
    return max(1, _cpus() // threads(cluster, device))


def _cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(cluster: ClusterConfig, device: str) -> int:
    """CPUs of one worker, and torch's threads; the same inline as in an actor, so that both give the same bytes."""
    if cluster.cpus_per_actor is not None:
        return cluster.cpus_per_actor
    return 2 if device == "cuda" else 1
