"""How far an atlas is: what is done, failed and left, and whether a process is at work on it just now."""

import json
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa

from atlas.query.reader import Reader
from atlas.records import Part
from atlas.store.files import read_json
from atlas.store.lock import is_alive, owner_name, read_owner
from atlas.store.paths import AtlasPaths

COUNTS = ("planned", "done", "ok", "dead", "failed", "left")
LIVE_KEYS = ("rate", "eta_seconds", "workers")  # what status.json holds of a driver only while it runs
PART_KEYS = ("host", "pid", "started", "updated", "total", "done", "failed", "left")
# of events.jsonl: an actor that was lost, work that raised, what failed for good
FAULT_EVENTS = ("worker", "error", "failed")
FAULTS = 5  # that are told of
LAST_LINES = 1000  # of a log: what is before them is not recent
IMAGE_STAGE = "images"  # the stage that makes what `count` counts
# of status.json; all else in it is text
STATUS_TYPES = {"workers": list, "rate": int | float, "eta_seconds": int | float}
STATUS_TYPES |= dict.fromkeys(("pid", "total", "done", "dead", "failed", "left"), int)
State = dict[str, Any]


def count(reader: Reader) -> pa.Table:
    """Tasks by model and layer, in order of execution: planned = done + failed + left, done = ok + dead."""
    return reader.sql("""
        SELECT model, layer, count(*) AS planned, count(*) FILTER (state IN ('ok', 'dead')) AS done,
            count(*) FILTER (state = 'ok') AS ok, count(*) FILTER (state = 'dead') AS dead,
            count(*) FILTER (state = 'failed') AS failed, count(*) FILTER (state = 'left') AS "left"
        FROM tasks GROUP BY model, layer ORDER BY model, min(layer_index), layer""")


def read_state(reader: Reader) -> State:
    """Everything that `atlas status` prints, as plain values.

    `state` is running (a driver lives), done, stopped or interrupted; `message` adds what the state does not say.
    """
    layers = count(reader).to_pylist()
    total = {name: sum(row[name] for row in layers) for name in COUNTS}
    status = _read_status(reader.paths.status)
    owner = read_owner(reader.paths.lock)
    state, message, live = _judge(status, owner, total["left"])
    progress = {key: status.get(key) for key in ("host", "pid", "started", "updated", "stage")}
    progress |= {key: status.get(key) if live else None for key in LIVE_KEYS}
    if live and (other_stage := _other_stage(status)):
        message = message or other_stage
        # a pace of other things than the images that are counted here
        progress |= {"rate": None, "eta_seconds": None}
    if state == "running" and owner is not None:
        progress |= {"host": owner["host"], "pid": owner["pid"]}
    parts = [_part(reader.paths, part) for part in _all_parts(reader.paths)]
    if at_work := [part for part in parts if part["state"] == "running"]:
        state, message = "running", None
        progress |= _together(at_work)
    progress["workers"] = progress["workers"] or []
    return {
        "atlas": str(reader.path),
        "name": reader.manifest.get("name"),
        "state": state,
        "message": message,
        **progress,
        "total": total,
        "layers": layers,
        "parts": parts,
        "faults": recent_faults(reader.paths),
    }


def recent_faults(paths: AtlasPaths) -> list[State]:
    """The last faults that a run's log tells of, the newest first: time, what, where, reason."""
    logs = [paths.events, *(paths.events_of(part) for part in paths.parts())]
    faults = [fault for log in logs for fault in _faults_in(log)]
    return sorted(faults, key=lambda fault: fault["time"], reverse=True)[:FAULTS]


def _faults_in(log: Path) -> list[State]:
    """Those among the last lines of a log; half a line, as of a run that was killed, tells of none."""
    try:
        lines = log.read_bytes().decode(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []
    return [fault for line in lines if (fault := _fault(line)) is not None]


def _fault(line: str) -> State | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("event") not in FAULT_EVENTS:
        return None
    what = told.get("what") or told.get("error_type") or told["event"]
    reason = str(told.get("reason") or told.get("message") or "").strip()
    words = (reason.splitlines() or [""])[-1] if told["event"] != "worker" else reason.partition("\n")[0]
    where = told.get("where") or told.get("doing") or ""
    return {"time": str(told.get("time", "")), "what": str(what), "where": str(where), "reason": words}


def _all_parts(paths: AtlasPaths) -> list[Part]:
    """Every part of each division of which one part has begun."""
    counts = dict.fromkeys(part.count for part in paths.parts())
    return [Part(number, count) for count in counts for number in range(1, count + 1)]


def _part(paths: AtlasPaths, part: Part) -> State:
    """How far one part is: `waiting` until its job has begun."""
    status, owner = _read_status(paths.status_of(part)), read_owner(paths.lock_of(part))
    at_work = owner is not None and is_alive(owner)
    state = "running" if at_work else status.get("state", "waiting")
    if state == "running" and not at_work:
        state = "interrupted"
    row = {"part": str(part), "state": state, **{key: status.get(key) for key in PART_KEYS}}
    return row | {key: status.get(key) if at_work else None for key in LIVE_KEYS}


def _together(parts: list[State]) -> State:
    """What the parts at work come to: they end with the slowest."""
    etas = [part["eta_seconds"] for part in parts if part["eta_seconds"] is not None]
    first = parts[0]
    return {
        **{key: first[key] for key in ("host", "pid", "started", "updated")},
        "stage": IMAGE_STAGE,
        "rate": sum(part["rate"] or 0.0 for part in parts) or None,
        "eta_seconds": max(etas, default=None),
        "workers": [worker for part in parts for worker in part["workers"] or ()],
    }


def _judge(status: State, owner: State | None, left: int) -> tuple[str, str | None, bool]:
    """The state, a message, and whether status.json was written by a driver that lives."""
    if owner is not None and is_alive(owner):
        live = status.get("pid") == owner["pid"] and status.get("state") == "running"
        return "running", status.get("message") if live else "no progress told yet", live
    if owner is not None:
        gone = f"{owner_name(owner)} is gone"
        if left:
            return "interrupted", f"{gone}; rerun to resume", False
        return "done", f"{gone}, after its last image", False
    if not left:
        return "done", status.get("message"), False
    if status.get("state") in ("stopped", "interrupted"):
        return status["state"], status.get("message") or "rerun to resume", False
    return "interrupted", f"nobody is at work and {left:,} images are left; rerun to resume", False


def _other_stage(status: State) -> str | None:
    """How far a driver is at another stage than making images; None when it makes images."""
    stage = status.get("stage") or IMAGE_STAGE
    if stage == IMAGE_STAGE:
        return None
    total, left = status.get("total"), status.get("left")
    return f"{stage}: {total - left:,} of {total:,}" if isinstance(total, int) and isinstance(left, int) else str(stage)


def _read_status(path: Path) -> State:
    """Those parts of status.json that are of their types; the counts do not depend on it."""
    try:
        status = read_json(path)
    except (OSError, ValueError):
        return {}
    if not isinstance(status, dict):
        return {}
    status["workers"] = [worker for worker in _list(status.get("workers")) if isinstance(worker, dict)]
    typed = {key: value for key, value in status.items() if isinstance(value, STATUS_TYPES.get(key, str))}
    return {key: value for key, value in typed.items() if not isinstance(value, float) or isfinite(value)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
