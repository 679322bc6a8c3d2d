"""A Ray cluster of several nodes on this machine, in a process of its own, which is told what to do line by line."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

STORE = 80 << 20  # bytes of each node's object store: receipts are all that passes through it
SOON = 30.0  # seconds that a node which drains may take to leave


class RayCluster:
    """`with RayCluster(folder) as cluster:` a head without CPUs or GPUs, to which nodes are added."""

    def __init__(self, folder: Path, **head: float) -> None:
        """folder: of a short path, since Ray's sockets lie in it. head: resources of the head node."""
        self._folder = folder
        (folder / "ray").mkdir(parents=True)
        words = [f"{name}={value}" for name, value in head.items()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ray_cluster", *words],
            env={**os.environ, "RAY_TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
            text=True,
            start_new_session=True,
        )
        self.address = self._answer()

    def add(self, name: str, **resources: float) -> None:
        """Add a node."""
        self._tell("add", name, *(f"{key}={value}" for key, value in resources.items()))

    def kill(self, name: str) -> None:
        """Kill -9 a node's raylet; its workers follow."""
        self._tell("kill", name)

    def clear(self) -> None:
        """Kill all nodes but the head, and wait until the cluster knows."""
        self._tell("clear", "all")

    def lose_head(self) -> None:
        """Kill -9 what the cluster cannot be without."""
        self._tell("lose", "head")

    def stop(self, name: str) -> None:
        """End a node as a scheduler of machines does: SIGTERM."""
        self._tell("stop", name)

    def drain(self, name: str) -> None:
        """Have a node say that it is about to leave."""
        self._tell("drain", name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Kill all of it."""
        for process in [*psutil.Process(self._process.pid).children(recursive=True), self._process]:
            try:
                process.kill()
            except psutil.Error:
                continue
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the cluster's process has ended"
        return line


def _resources(words: list[str]) -> dict[str, Any]:
    numbers = {key: float(value) for key, _, value in (word.partition("=") for word in words)}
    return {"num_cpus": 0, "num_gpus": 0, "object_store_memory": STORE} | numbers


def _drain(address: str, node_id: str) -> None:
    from ray._raylet import GcsClient
    from ray.core.generated import autoscaler_pb2

    reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline = int((time.time() + SOON) * 1000)
    GcsClient(address=address).drain_node(node_id, reason, "the machine is wanted elsewhere", deadline)


def main(head: list[str]) -> None:
    """Serve the lines of stdin, one answer each; the first says the address."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=_resources(head) | {"include_dashboard": False})
    nodes: dict[str, Any] = {}
    print(cluster.address, flush=True)
    for line in sys.stdin:
        verb, name, *words = line.split()
        if verb == "add":
            nodes[name] = cluster.add_node(**_resources(words))
        elif verb == "clear":
            for node in list(cluster.worker_nodes):
                cluster.remove_node(node, allow_graceful=False)
            cluster.wait_for_nodes()
        elif verb == "lose":
            cluster.head_node.all_processes["gcs_server"][0].process.kill()
        elif verb == "drain":
            _drain(cluster.address, nodes[name].node_id)
        else:
            number = signal.SIGKILL if verb == "kill" else signal.SIGTERM
            os.kill(nodes[name].all_processes["raylet"][0].process.pid, number)
        print(verb, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
