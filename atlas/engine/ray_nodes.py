"""The nodes of a Ray cluster, and what it says of those that leave."""

from typing import Any

import ray
from ray._private.state import state

from atlas.engine.roster import Node

ACCELERATOR = "ray.io/accelerator-type"  # the label that Ray gives a node with cards
NODE = "ray.io/node-id"  # the label that Ray gives every node
# of Ray's NodeDeathInfo: terminated as was to be expected, drained for preemption, drained for idleness
ANNOUNCED = (1, 3, 4)


def living_nodes() -> list[Node]:
    """The nodes that are there, with those that have said that they will leave."""
    draining = _draining()
    return [_node(row, row["NodeID"] in draining) for row in ray.nodes() if row["Alive"]]


def gave_notice(node: str | None) -> bool:
    """Whether a node that is gone, or leaves, has said so before."""
    if node is None:
        return False
    return node in _draining() or any(
        row["NodeID"] == node and not row["Alive"] and row.get("DeathReason") in ANNOUNCED for row in ray.nodes()
    )


def node_of(actor: Any) -> str | None:
    """The node that an actor lives on, or did before it died, also where it has not come to say so; None: Ray does not know."""
    # as above
    try:
        row: Any = state.actor_table(actor._actor_id.hex())
        return row["Address"]["NodeID"]
    except Exception:
        return None


def _node(row: dict[str, Any], draining: bool) -> Node:
    resources, labels = row["Resources"], row.get("Labels") or {}
    return Node(
        id=row["NodeID"],
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        accelerator=labels.get(ACCELERATOR, ""),
        draining=draining,
    )


def _draining() -> set[str]:
    """The nodes that are about to leave. Ray has no public call for that; its own trainer uses this one."""
    # ray:// has a server of its own between, and an older Ray may not have it: then a death tells
    try:
        return set(state.get_draining_nodes())
    except Exception:
        return set()
