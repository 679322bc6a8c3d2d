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
from typing import Any, Self, TypeGuard

from atlas.store.bucket_path import BucketPath, is_remote
from atlas.store.files import read_json

Owner = dict[str, Any]
NOBODY_KNOWN: Owner = {"host": "?", "pid": 0, "started": None, "token": None}
HEARTBEAT = 5.0  # seconds between two signs of life
STALE = 60.0  # seconds without one after which an owner on another host counts as gone
LOOK, PATIENCE = 0.2, 3600.0  # seconds between two looks at a lock that another part holds, and of all of them

_held: set["Lock"] = set()


class Locked(Exception):
    """Another driver is at work on this atlas."""


class Lock:
    """Hold an atlas for writing: `with Lock(path): …`. `taken_over` says whose stale lock was removed, if any."""

    def __init__(self, path: Path, facts: dict[str, str] | None = None, *, waits: bool = False) -> None:
        """facts: what the lock says besides who holds it. waits: for other parts of a job, which hold it for moments."""
        self.path, self.facts, self._patience = path, facts or {}, PATIENCE if waits else 0.0
        self.taken_over: str | None = None
        self.lost = False
        self._sign_of_life = time.monotonic()  # when the last one was given
        self._token = uuid.uuid4().hex
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="atlas-lock")

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while not self._create():
            if self.path.is_symlink() or self.path.is_dir():
                raise Locked(f"{self.path} is not the file that says who writes this atlas: move it away")
            owner = read_owner(self.path)
            if owner is None:
                continue
            if is_alive(owner):
                if owner.get("part") and self._waits():
                    continue
                raise Locked(
                    f"{self.path.parent} is being written by {owner_name(owner)}; wait for it, or stop it first"
                )
            if self._remove_stale(owner):
                self.taken_over = owner_name(owner)
        _held.add(self)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        # where the storage fails, the error that the job ended with tells more; the lock counts as stale soon
        with suppress(OSError):
            self.release()

    def release(self) -> None:
        """Remove the lock file, if it is still this one's."""
        _held.discard(self)
        if self._is_ours():
            self.path.unlink(missing_ok=True)

    def _waits(self) -> bool:
        """Wait a moment for another part; False when it has held the lock for too long."""
        self._patience -= LOOK
        return self._patience > 0 and not self._stop.wait(LOOK)

    def _owner(self) -> Owner:
        """What the lock says of who holds it."""
        process = {"host": socket.gethostname(), "pid": os.getpid(), "started": process_start(os.getpid())}
        return {**process, "token": self._token, **self.facts}

    def _create(self) -> bool:
        owner = self._owner()
        if is_remote(self.path):
            # it is there and ours: taken over, or created by a call whose answer was lost
            return self.path.create(json.dumps(owner).encode()) or self._is_ours()
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(owner, file)
        except OSError as error:
            # a full disk: an empty file would say that somebody is at work
            self.path.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        return True

    def _remove_stale(self, stale: Owner) -> bool:
        """Move the stale lock aside, under a name of our own, and remove it; True when it is this call that removed it.

        Of two processes that try, the second finds the lock gone, or moves the first one's new lock, which it puts back.
        """
        if is_remote(self.path):
            return self._take_over(self.path, stale)
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

    def _is_ours(self) -> bool:
        owner = read_owner(self.path)
        return owner is not None and owner.get("token") == self._token

    def _take_over(self, path: BucketPath, stale: Owner) -> bool:
        """Put this one's name in place of a stale one's, if nobody else has done so, and the stale one has not come back."""
        former = path.facts()
        owner = read_owner(self.path)
        if owner is None or owner["token"] != stale["token"]:
            return False
        if owner["host"] != socket.gethostname() and _store_time(path) - former.time < STALE:
            # by this machine's clock it was stale, by the store's own it is not
            raise Locked(f"{path.parent} is being written by {owner_name(owner)}; wait for it, or stop it first")
        return path.replace_if(former, json.dumps(self._owner()).encode())

    def check(self) -> None:
        """Raise Locked when another run took the lock over, because this process slept too long to seem alive.

        OSError: it has given no sign of life for a while, and the storage does not say who holds the lock.
        """
        if time.monotonic() - self._sign_of_life > 2 * HEARTBEAT:
            self._look()
        if self.lost:
            raise Locked(
                f"{self.path.parent} was taken over by another run while this one slept; nothing more is written"
            )

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            with suppress(OSError):
                self._look()
                if not self.lost:
                    self._sign()
                    self._sign_of_life = time.monotonic()

    def _look(self) -> None:
        """See whether somebody else holds the lock by now."""
        owner = read_owner(self.path)
        self.lost = owner is not None and owner.get("token") not in (None, self._token)

    def _sign(self) -> None:
        """Give a sign of life."""
        if not is_remote(self.path):
            os.utime(self.path)
            return
        former, content = self.path.facts(), self.path.read_bytes()
        if json.loads(content).get("token") == self._token:
            # a store may have done it, and its answer was lost
            self.lost = not self.path.replace_if(former, content) and not self._is_ours()


def _store_time(path: BucketPath) -> float:
    """The time by a store's own clock: that of something that is written now."""
    sign = path.parent / "staging" / f"clock-{uuid.uuid4().hex}"
    sign.write_bytes(b"")
    try:
        return sign.stat().st_mtime
    finally:
        sign.unlink()


def release_all() -> None:
    """Release whatever this process holds: it ends now, without a word to those who hold it."""
    for lock in list(_held):
        with suppress(OSError):
            lock.release()


def read_owner(path: Path) -> Owner | None:
    """Read who holds the lock, and as `age` the seconds since the last sign of life; None when nobody holds it.

    What is no lock, by its bytes or its types, belongs to NOBODY_KNOWN.
    """
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
    try:
        content = read_json(path)
    except FileNotFoundError:
        return None
    # created, not yet written; cut off by a full disk; or something else that lies in its place
    except (OSError, ValueError):
        content = None
    owner: Owner = content if _is_owner(content) else NOBODY_KNOWN
    return {**owner, "age": age}


def is_lock(path: Path) -> bool:
    """Whether a file is the lock of some run, also of one that was killed before it could write its name."""
    owner = read_owner(path)
    return owner is not None and path.is_file() and (owner["pid"] != NOBODY_KNOWN["pid"] or path.stat().st_size == 0)


def _is_owner(content: Any) -> TypeGuard[Owner]:
    match content:
        case {"host": str(), "pid": int(pid), "started": str() | None, "token": str()}:
            return pid > 0
        case _:
            return False


def is_alive(owner: Owner) -> bool:
    """Whether an owner is still at work: its process tells on this host, its heartbeat on another."""
    if owner["host"] == socket.gethostname():
        return process_start(owner["pid"]) is not None and process_start(owner["pid"]) == owner["started"]
    # a beat from the future is no sign of life either, but clocks differ
    return abs(owner["age"]) < STALE


def process_start(pid: int) -> str | None:
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


def owner_name(owner: Owner) -> str:
    """An owner as messages name it."""
    if owner["pid"] == NOBODY_KNOWN["pid"]:
        return f"a process that its lock does not name, which counts as gone after {STALE:.0f} s without a sign of life"
    part = f" (part {owner['part']})" if owner.get("part") else ""
    return f"process {owner['pid']} on {owner['host']}{part}"
