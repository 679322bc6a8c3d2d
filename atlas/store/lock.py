"""One driver per atlas: a lock file with a heartbeat, taken over when its owner is gone."""

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HEARTBEAT = 5.0  # seconds between two signs of life
STALE = 60.0  # seconds without one after which an owner on another host counts as gone


_held: set["Lock"] = set()


class Locked(Exception):
    """Another driver is at work on this atlas."""


class Lock:
    """Hold an atlas for writing: `with Lock(path): …`. `taken_over` says whose stale lock was removed, if any."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken_over: str | None = None
        self.lost = False
        self._token = uuid.uuid4().hex
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="atlas-lock")

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while not self._create():
            owner = read_owner(self.path)
            if owner is None:
                continue
            if is_alive(owner):
                raise Locked(f"{self.path.parent} is being written by {_name(owner)}; wait for it, or stop it first")
            if self._remove_stale(owner):
                self.taken_over = _name(owner)
        _held.add(self)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.release()

    def release(self) -> None:
        """Remove the lock file, if it is still this one's."""
        _held.discard(self)
        owner = read_owner(self.path)
        if owner is not None and owner.get("token") == self._token:
            self.path.unlink(missing_ok=True)

    def _create(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        owner = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": _started(os.getpid()),
            "token": self._token,
        }
        with os.fdopen(descriptor, "w") as file:
            json.dump(owner, file)
        return True

    def _remove_stale(self, stale: dict[str, Any]) -> bool:
        """Move the stale lock aside, under a name of our own, and remove it; True when it is this call that removed it.

        Of two processes that try, the second finds the lock gone, or moves the first one's new lock, which it puts back.
        """
        grave = self.path.with_name(f".{self.path.name}.{self._token}")
        try:
            os.rename(self.path, grave)
        except FileNotFoundError:
            return False
        moved = read_owner(grave)
        removed = moved is not None and moved["token"] == stale["token"]
        if not removed:
            with suppress(FileExistsError):
                os.link(grave, self.path)
        grave.unlink()
        return removed

    def check(self) -> None:
        """Raise Locked when another run took the lock over, because this process slept too long to seem alive."""
        if self.lost:
            raise Locked(
                f"{self.path.parent} was taken over by another run while this one slept; nothing more is written"
            )

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            with suppress(OSError):
                owner = read_owner(self.path)
                self.lost = owner is not None and owner.get("token") not in (None, self._token)
                if not self.lost:
                    os.utime(self.path)


def release_all() -> None:
    """Release whatever this process holds: it ends now, without a word to those who hold it."""
    for lock in list(_held):
        with suppress(OSError):
            lock.release()


def read_owner(path: Path) -> dict[str, Any] | None:
    """Read who holds the lock, and as `age` the seconds since the last sign of life; None when nobody holds it."""
    try:
        age = time.time() - path.stat().st_mtime
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        return {**json.loads(text), "age": age}
    except ValueError:  # created, not yet written; or cut off by a full disk
        return {"host": "?", "pid": 0, "started": None, "token": None, "age": age}


def is_alive(owner: dict[str, Any]) -> bool:
    """Whether an owner is still at work: its process tells on this host, its heartbeat on another."""
    if owner["host"] == socket.gethostname():
        return _started(owner["pid"]) is not None and _started(owner["pid"]) == owner["started"]
    return owner["age"] < STALE


def _started(pid: int) -> str | None:
    """When a process began, in the kernel's ticks, which tell it from another of the same pid. None: it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _answers(pid)
    return None if fields[0] == "Z" else fields[19]


def _answers(pid: int) -> str | None:
    """In place of its start, where there is no /proc: `alive` when the process answers, None when it does not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return None
    except PermissionError:
        pass
    return "alive"


def _name(owner: dict[str, Any]) -> str:
    return f"process {owner['pid']} on {owner['host']}"
