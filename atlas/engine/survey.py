"""What a running cluster has for actors: asked of its nodes, before anything is planned, and never of the driver's machine."""

import time
from collections.abc import Sequence
from dataclasses import replace

from atlas.config.schema import ClusterConfig
from atlas.engine.executor import ClusterError, ClusterGone
from atlas.engine.ray_process import RayProcess
from atlas.engine.roster import Node
from atlas.engine.signals import StopRequest
from atlas.engine.terminal import tell
from atlas.engine.workers import actor_count, actor_shape

FRESH = 60.0  # seconds that an answer holds: the stages of a job ask one after another

_answers: dict[str, tuple[float, tuple[Node, ...]]] = {}  # by address: when it was asked, and its nodes


def survey(cluster: ClusterConfig) -> tuple[Node, ...]:
    """Join a running cluster, and leave it; its nodes. ClusterError: nothing answers there. StopNow."""
    address = cluster.address or ""
    asked, nodes = _answers.get(address, (0.0, ()))
    if address not in _answers or time.monotonic() - asked > FRESH:
        try:
            ray = RayProcess(None, actor_shape(cluster, "cpu", 0, most=1), cluster, StopRequest())
        except ClusterGone as gone:
            raise ClusterError(f"cluster.address={address}: {gone}") from None
        nodes = ray.nodes
        ray.close()
        _answers[address] = time.monotonic(), nodes
    return nodes


def on_cluster(cluster: ClusterConfig) -> ClusterConfig:
    """The config with the device that a running cluster has, and a word of it to the person; other configs as they are.

    ClusterError: the cluster has nothing to work on, or nothing answers.
    """
    if cluster.kind != "ray":
        return cluster
    fitted, note = fit(cluster, survey(cluster))
    if note:
        tell(note)
    return fitted


def fit(cluster: ClusterConfig, nodes: Sequence[Node]) -> tuple[ClusterConfig, str | None]:
    """A config with the device, and the CPUs of an actor, that the nodes have; and what there is to say of that.

    `auto` is CUDA where a node has a card that will do, and else the nodes' CPUs. ClusterError: there are neither.
    """
    cards = " or ".join(cluster.accelerator) or "GPU"
    on_cuda = replace(cluster, device="cuda", cpus_per_actor=_cpus_beside_cards(cluster, nodes))
    has_cards = _room(on_cuda, nodes) > 0
    if has_cards and cluster.device != "cpu":
        return on_cuda, None
    if cluster.device == "cuda" or cluster.accelerator:
        return (
            on_cuda,
            f"no node of the cluster at {cluster.address} has room for an actor with a {cards} yet: one is waited for",
        )
    on_cpu = replace(cluster, device="cpu")
    if cluster.device == "cpu":
        return on_cpu, None
    if not _room(on_cpu, nodes):
        raise ClusterError(
            f"cluster.device=auto: no node of the cluster at {cluster.address} has a GPU, nor a CPU to work on; "
            "say cluster.device=cuda or cpu, and actors wait until such a node joins"
        )
    note = "has a GPU: the work is done on CPUs; cluster.device=cuda waits for GPUs instead"
    return on_cpu, f"no node of the cluster at {cluster.address} {note}"


def _cpus_beside_cards(cluster: ClusterConfig, nodes: Sequence[Node]) -> int | None:
    """CPUs of an actor: as configured; but one where it is not said, and with more some cards would stay without an actor."""
    fewest = replace(cluster, cpus_per_actor=1)
    if cluster.cpus_per_actor is None and _room(cluster, nodes, "cuda") < _room(fewest, nodes, "cuda"):
        return 1
    return cluster.cpus_per_actor


def _room(cluster: ClusterConfig, nodes: Sequence[Node], device: str | None = None) -> int:
    """How many actors the nodes can hold."""
    shape = actor_shape(cluster, device or cluster.device, 0, most=1)
    return sum(node.room(shape) for node in nodes)


def expected_actors(cluster: ClusterConfig, device: str, gpus: int) -> int:
    """How many actors a run will have, as far as can be told before it begins. gpus: that this machine shows."""
    count = actor_count(cluster, device, gpus)
    if count is not None:
        return count
    _, nodes = _answers.get(cluster.address or "", (0.0, ()))
    return max(1, _room(cluster, nodes, device))
