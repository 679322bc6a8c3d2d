"""One driver per atlas: a second is refused, and a lock whose owner is gone is taken over."""

import json
import os
import resource
import socket
import subprocess
import sys
import time

import pytest

from atlas.store import lock as module
from atlas.store.lock import STALE, Lock, Locked, is_alive, read_owner

HOLD = """
import sys, time
from pathlib import Path
from atlas.store.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "atlas" / "lock"


def leave(path, **changes) -> None:
    """A lock file as somebody's driver has left it."""
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": "1", "token": "theirs"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(owner | changes))


def age(path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_second_driver_is_refused_and_the_first_is_not_disturbed(path):
    with Lock(path) as first:
        with pytest.raises(Locked, match=rf"process {os.getpid()} on .*wait for it"), Lock(path):
            pass
        assert read_owner(path)["pid"] == os.getpid()
        assert first.taken_over is None
    with Lock(path) as after:
        assert after.taken_over is None


def test_it_is_released_on_exit_and_on_errors(path):
    with Lock(path):
        assert path.exists()
    assert list(path.parent.iterdir()) == []
    with pytest.raises(ZeroDivisionError), Lock(path):
        raise ZeroDivisionError
    assert list(path.parent.iterdir()) == []
    assert read_owner(path) is None


def test_the_lock_of_a_killed_process_is_taken_over(path):
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Locked, match=f"process {child.pid}"), Lock(path):
            pass
        child.kill()
        child.wait()
        with Lock(path) as lock:
            assert lock.taken_over.startswith(f"process {child.pid} on ")
    assert list(path.parent.iterdir()) == []


def test_a_reused_pid_is_not_the_old_process(path):
    leave(path, pid=os.getpid(), started="1")
    with Lock(path) as lock:
        assert lock.taken_over.startswith(f"process {os.getpid()} on ")


def test_another_host_is_judged_by_its_heartbeat(path):
    leave(path, host="elsewhere", pid=1)
    with pytest.raises(Locked, match="process 1 on elsewhere"), Lock(path):
        pass
    age(path, STALE + 1)
    with Lock(path) as lock:
        assert lock.taken_over == "process 1 on elsewhere"


@pytest.mark.parametrize("text", ["", '{"host": "a'])
def test_a_lock_that_was_cut_off_is_held_until_it_is_old(path, text):
    leave(path)
    path.write_text(text)
    with pytest.raises(Locked), Lock(path):
        pass
    age(path, STALE + 1)
    with Lock(path) as lock:
        assert lock.taken_over is not None


def test_a_lock_that_cannot_be_written_is_not_left(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # no file may grow, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match=path.name), Lock(path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()


GARBAGE = [b"\0\xffgarbage", b"[]", b"12", b"null", b'{"a": 1}', b"[" * 100_000, b"\0" * 64]
WRONG = [{"pid": "x"}, {"pid": -1}, {"pid": 10**30, "started": 5}, {"host": None}, {"token": []}]


@pytest.mark.parametrize("content", [*GARBAGE, *WRONG], ids=lambda content: str(content)[:20])
def test_a_lock_of_garbage_is_held_until_it_is_old(path, content):
    leave(path, **(content if isinstance(content, dict) else {}))
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(Locked, match="a process that its lock does not name"), Lock(path):
        pass
    for seconds in (STALE + 1, -STALE - 10):  # a beat from the far future is none
        age(path, seconds)
        assert not is_alive(read_owner(path))
    with Lock(path) as lock:
        assert lock.taken_over is not None


def test_what_is_no_file_is_never_taken_over(path):
    path.mkdir(parents=True)
    (path / "precious").touch()
    age(path, 1000)
    with pytest.raises(Locked, match="move it away"), Lock(path):
        pass
    assert not is_alive(read_owner(path))
    assert (path / "precious").exists()
    link = path.with_name("other")
    link.symlink_to("nowhere")
    with pytest.raises(Locked, match="move it away"), Lock(link):
        pass


def test_the_heart_beats(path, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT", 0.01)
    with Lock(path):
        age(path, 1000)
        deadline = time.monotonic() + 10
        while read_owner(path)["age"] > 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert read_owner(path)["age"] < 100


def test_somebody_elses_lock_is_not_removed_on_exit(path):
    with Lock(path):
        leave(path, host="elsewhere")
    assert read_owner(path)["token"] == "theirs"


def test_of_two_that_take_over_a_stale_lock_one_holds_it(path, monkeypatch):
    """The rival is quicker: between our look at the stale lock and our hand on it, it has put its own there."""
    leave(path, started="1")
    rival, ask = Lock(path), module.is_alive

    def is_alive(owner) -> bool:
        alive = ask(owner)
        monkeypatch.setattr(module, "is_alive", ask)
        rival.__enter__()
        return alive

    monkeypatch.setattr(module, "is_alive", is_alive)
    ours = Lock(path)
    with pytest.raises(Locked):
        ours.__enter__()
    assert rival.taken_over is not None
    assert ours.taken_over is None
    rival.__exit__(None, None, None)  # finds its own
    assert list(path.parent.iterdir()) == []


def test_who_slept_looks_before_it_writes(path):
    with Lock(path) as lock:
        leave(path, token="another")
        lock.check()  # a sign of life was given a moment ago
        lock._sign_of_life -= 60  # as after a sleep: its own thread has not had its turn yet
        with pytest.raises(Locked, match="was taken over"):
            lock.check()


def test_storage_that_fails_at_the_end_hides_no_error(path, monkeypatch):
    lock = Lock(path)
    monkeypatch.setattr(lock, "release", lambda: (_ for _ in ()).throw(OSError(5, "the store does not answer")))
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    Lock.release(lock)
