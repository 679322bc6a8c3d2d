"""How an atlas stands: what is done, failed and left, and whether somebody is at work on it just now."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.store.lock import is_alive, read_owner

COUNTS = ("planned", "done", "ok", "dead", "failed", "left")
LIVE = ("rate", "eta_seconds", "workers")  # what a driver says of itself only while it runs
IMAGES = "images"  # the stage whose things the files count
State = dict[str, Any]


def count(atlas: Atlas) -> pa.Table:
    """Tasks by model and layer, in order of execution: planned = done + failed + left, done = ok + dead."""
    return atlas.sql("""
        SELECT model, layer, count(*) AS planned, count(*) FILTER (state IN ('ok', 'dead')) AS done,
            count(*) FILTER (state = 'ok') AS ok, count(*) FILTER (state = 'dead') AS dead,
            count(*) FILTER (state = 'failed') AS failed, count(*) FILTER (state = 'left') AS "left"
        FROM tasks GROUP BY model, layer ORDER BY model, min(layer_index), layer""")


def read_state(atlas: Atlas) -> State:
    """Everything that `atlas status` tells, as plain values.

    `state` is running (a driver lives), done, stopped or interrupted; `message` says in words what the state does not.
    """
    layers = count(atlas).to_pylist()
    total = {name: sum(row[name] for row in layers) for name in COUNTS}
    said = _read_status(atlas.paths.status)
    owner = read_owner(atlas.paths.lock)
    state, message, live = _judge(said, owner, total["left"])
    told = {key: said.get(key) for key in ("host", "pid", "started", "updated", "stage")}
    told |= {key: said.get(key) if live else None for key in LIVE}
    if live and (other := _other_stage(said)):
        message = message or other
        told |= {"rate": None, "eta_seconds": None}  # of other things than the images that are counted here
    if state == "running" and owner is not None:
        told |= {"host": owner["host"], "pid": owner["pid"]}
    name = atlas.manifest.get("name")
    told["workers"] = told["workers"] or []
    return {
        "atlas": str(atlas.path),
        "name": name,
        "state": state,
        "message": message,
        **told,
        "total": total,
        "layers": layers,
    }


def _judge(said: State, owner: State | None, left: int) -> tuple[str, str | None, bool]:
    """The state, a message, and whether status.json speaks of a driver that lives."""
    if owner is not None and is_alive(owner):
        same = said.get("pid") == owner["pid"] and said.get("state") == "running"
        return "running", said.get("message") if same else "no progress told yet", same
    if owner is not None:
        gone = f"process {owner['pid']} on {owner['host']} is gone"
        return (
            ("interrupted", f"{gone}; rerun to resume", False)
            if left
            else ("done", f"{gone}, after its last image", False)
        )
    if not left:
        return "done", said.get("message"), False
    if said.get("state") in ("stopped", "interrupted"):
        return said["state"], said.get("message") or "rerun to resume", False
    return "interrupted", f"nobody is at work and {left:,} images are left; rerun to resume", False


def _other_stage(said: State) -> str | None:
    """How far a driver is that makes something else than images; None: it makes images."""
    stage = said.get("stage") or IMAGES
    if stage == IMAGES:
        return None
    total, left = said.get("total"), said.get("left")
    return f"{stage}: {total - left:,} of {total:,}" if isinstance(total, int) and isinstance(left, int) else str(stage)


def _read_status(path: Path) -> State:
    """status.json; nothing when there is none, or none that can be read: it is a courtesy, never the truth."""
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
