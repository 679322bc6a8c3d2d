"""A Ray of this job's own that starts while the job still reads its models and makes its plan."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas.config.schema import ClusterConfig
from atlas.engine.executor import ActorShape
from atlas.engine.ray_process import RayProcess
from atlas.engine.workers import actor_shape

DEVICES = Path("/dev")


class EarlyRay:
    """Ray as the first stage will want it, as far as that can be known; nobody has waited for it yet."""

    def __init__(self, process: RayProcess | None = None) -> None:
        self._process = process

    def take(self, shape: ActorShape, cluster: ClusterConfig) -> RayProcess:
        """The Ray that has been started, if it is of that shape; else a new one. It is the caller's to close."""
        process, self._process = self._process, None
        if process is not None and (process.shape, process.cluster) == (shape, cluster):
            return process
        if process is not None:
            process.abandon()
        return RayProcess(shape, cluster)

    def abandon(self) -> None:
        """End what no stage has taken."""
        process, self._process = self._process, None
        if process is not None:
            process.abandon()


@contextmanager
def early_ray(cluster: ClusterConfig, *, wanted: bool) -> Iterator[EarlyRay]:
    """Start Ray here, if the config has it started and a stage is likely to want it; at the end, end what none has taken."""
    early = EarlyRay()
    if wanted and cluster.kind == "local":
        gpus = _visible_gpus()
        device = cluster.device if cluster.device != "auto" else "cuda" if gpus else "cpu"
        early = EarlyRay(RayProcess(actor_shape(cluster, device, gpus), cluster))
    try:
        yield early
    finally:
        early.abandon()


def _visible_gpus() -> int:
    """CUDA devices of this machine, as can be seen without torch; where it sees others, Ray is started once more."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() and name.strip() != "-1"])
    return len([path for path in DEVICES.glob("nvidia[0-9]*") if path.name.removeprefix("nvidia").isdecimal()])
