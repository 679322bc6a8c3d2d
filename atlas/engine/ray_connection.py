"""The way to Ray: one that is started here for this run alone, or a running cluster; and what an actor asks of it."""

import logging
import os
import socket
from typing import Any

import ray

from atlas.child import import_path
from atlas.engine.executor import ActorShape, ClusterError

ANSWER = 10.0  # seconds that a cluster's head may take to accept a connection
OBJECT_STORE = 256 << 20  # bytes; receipts are all that passes through it


def connect(shape: ActorShape, address: str | None) -> None:
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


def actor_options(shape: ActorShape, *, shared: bool) -> dict[str, Any]:
    """What an actor asks of Ray. shared: Ray is not this job's alone."""
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
    return options


def _variables(shape: ActorShape) -> dict[str, str]:
    """Of an actor's environment."""
    # without the first cuBLAS may round differently each time
    own = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} if shape.gpus else {"CUDA_VISIBLE_DEVICES": ""}
    return own | {"PYTHONPATH": import_path()}
