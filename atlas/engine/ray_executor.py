"""Workers as Ray actors. Ray runs and places processes and reports deaths; the scheduler does the rest."""

import logging
import os
import socket
import time
from typing import Any

# Ray reads both when it is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

import ray

from atlas.child import import_path
from atlas.engine.attempt import Attempt
from atlas.engine.events import Died, Event, Lost, Starved
from atlas.engine.executor import ActorShape, ClusterError
from atlas.engine.work import Work
from atlas.engine.worker import Worker

ANSWER = 10.0  # seconds that a cluster's head may take to accept a connection
OBJECT_STORE = 256 << 20  # bytes; receipts are all that passes through it


class RayExecutor:
    """`cluster=local` and `cluster=ray`. One actor a slot, one call in flight each."""

    def __init__(self, work: Work, shape: ActorShape, address: str | None) -> None:
        _connect(shape, address)
        self.shape = shape
        self.slots = max(1, min(shape.most, shape.count or _room(shape)))
        self._actor_class = _actor_class(shape, shared=address is not None)
        self._work = ray.put(work)
        self._actors: dict[int, Any] = {}
        self._addresses: dict[int, str] = {}
        self._calls: dict[Any, tuple[int, str]] = {}  # by reference: the slot, and setup, run or where

    def start(self, slot: int, model: str) -> None:
        self.kill(slot)
        actor = self._actor_class.remote(slot, self.shape.cpus)
        self._actors[slot] = actor
        self._calls[actor.where.remote()] = slot, "where"
        self._calls[actor.setup.remote(self._work, model)] = slot, "setup"

    def send(self, slot: int, attempt: Attempt) -> None:
        self._calls[self._actors[slot].run.remote(attempt)] = slot, "run"

    def kill(self, slot: int) -> None:
        """End a slot's process, the only sure way to free its GPU; nothing of it is heard any more."""
        actor = self._actors.pop(slot, None)
        self._addresses.pop(slot, None)
        self._calls = {call: purpose for call, purpose in self._calls.items() if purpose[0] != slot}
        if actor is not None:
            ray.kill(actor, no_restart=True)

    def poll(self, timeout: float) -> list[Event]:
        if not self._calls:
            time.sleep(timeout)
            return []
        ready, _ = ray.wait(list(self._calls), num_returns=1, timeout=timeout)
        events = [self._read(call) for call in ready]
        return [event for event in events if event is not None]

    def where(self, slot: int) -> str:
        return self._addresses.get(slot, "waiting for resources")

    def request(self) -> str:
        """What was asked of the cluster and what it has, for somebody whose actors never come."""
        capacity = {key: value for key, value in ray.cluster_resources().items() if key in ("CPU", "GPU", "memory")}
        return f"asked for {self.slots} actors of {self.shape.cpus} CPU and {self.shape.gpus:g} GPU; the cluster has {capacity}"

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where the parts of Ray listen without which nothing goes on, by name."""
        node = ray.get_runtime_context().get_node_id()
        here = next((one for one in ray.nodes() if one["NodeID"] == node), None)
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        raylet = {"raylet": (here["NodeManagerAddress"], here["NodeManagerPort"])} if here else {}
        return {"GCS": (host, int(port))} | raylet

    def close(self) -> None:
        for slot in list(self._actors):
            self.kill(slot)
        ray.shutdown()

    def _read(self, call: Any) -> Event | None:
        slot, kind = self._calls.pop(call, (-1, ""))
        if slot < 0:
            return None
        try:
            value = ray.get(call)
        except ray.exceptions.ActorUnavailableError as error:
            return None if kind == "where" else self._gone(slot, Lost(slot, _brief(error)))
        except ray.exceptions.OutOfMemoryError as error:
            return None if kind == "where" else self._gone(slot, Starved(slot, _brief(error)))
        except ray.exceptions.RayActorError as error:
            return None if kind == "where" else self._gone(slot, Died(slot, _brief(error)))
        except ray.exceptions.RayError as error:  # the worker catches its own: this is Ray's
            return None if kind == "where" else self._gone(slot, Lost(slot, _brief(error)))
        if kind == "where":
            self._addresses[slot] = value
            return None
        return value

    def _gone(self, slot: int, event: Event) -> Event:
        self.kill(slot)
        return event


def _connect(shape: ActorShape, address: str | None) -> None:
    """Start Ray here, or join the cluster at an address; never one that merely happens to be found."""
    if address is not None:
        _check_address(address)
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(f"cluster.address={address}: no Ray cluster answers there ({error})") from error
        return
    # inherited by all that Ray starts: an environment of their own would have each actor wait for a new process
    os.environ.update(_variables(shape))
    ray.init(
        address="local",
        num_cpus=max(1, (shape.count or 1) * shape.cpus),
        num_gpus=None if shape.gpus else 0,
        object_store_memory=OBJECT_STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _check_address(address: str) -> None:
    """Ask whether anybody listens there: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return  # auto: Ray knows where its own node is
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER).close()
    except (OSError, ValueError) as error:
        raise ClusterError(f"cluster.address={address}: nobody answers there ({error}); is the cluster up?") from None


def _room(shape: ActorShape) -> int:
    """How many such actors the cluster has resources for."""
    capacity = ray.cluster_resources()
    by_cpu = int(capacity.get("CPU", 0) / shape.cpus)
    return min(by_cpu, int(capacity.get("GPU", 0) / shape.gpus)) if shape.gpus else by_cpu


def _actor_class(shape: ActorShape, *, shared: bool) -> Any:
    """The actor, trivial to construct: it loads nothing before `setup`. shared: Ray is not this job's alone."""
    options: dict[str, Any] = {
        "num_cpus": shape.cpus,
        "num_gpus": shape.gpus,
        "max_restarts": 0,
        "max_task_retries": 0,
        "max_concurrency": 1,
        "scheduling_strategy": "SPREAD",
    }
    if shared:
        options["runtime_env"] = {"env_vars": _variables(shape)}
    return ray.remote(**options)(Worker)


def _variables(shape: ActorShape) -> dict[str, str]:
    """Of an actor's environment."""
    # without the first cuBLAS may round differently each time
    own = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} if shape.gpus else {"CUDA_VISIBLE_DEVICES": ""}
    return own | {"PYTHONPATH": import_path()}


def _brief(error: Exception) -> str:
    """The first lines of what Ray says: what happened, without its advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])}"[:500]
