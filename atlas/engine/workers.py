"""How many workers a stage has, and what each holds: from the cluster config and the machine."""

import os

from atlas.config.schema import ClusterConfig
from atlas.engine.executor import ActorShape
from atlas.engine.threads import worker_threads


def actor_count(cluster: ClusterConfig, device: str, gpus: int) -> int | None:
    """How many actors a run has; None: as many as the running cluster turns out to hold."""
    if cluster.kind == "inline":
        return 1
    if cluster.actors is not None or cluster.kind == "ray":
        return cluster.actors
    if device == "cuda":
        return max(1, int(gpus / cluster.gpus_per_actor))
    return max(1, _usable_cpus() // worker_threads(cluster.cpus_per_actor, device))


def actor_shape(cluster: ClusterConfig, device: str, gpus: int, *, most: int) -> ActorShape:
    """What Ray is asked for; most: actors for which there is work."""
    gpu_share = cluster.gpus_per_actor if device == "cuda" else 0.0
    threads = worker_threads(cluster.cpus_per_actor, device)
    count = actor_count(cluster, device, gpus)
    return ActorShape(count, threads, gpu_share, most=most, accelerators=tuple(cluster.accelerator))


def _usable_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
