"""Signals: a first one asks, a second ends; a grace that is over ends work in this process, too."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from atlas.engine import signals
from atlas.engine.signals import SIGNALS, StopNow, leaving_at_once, stop_requests


@pytest.fixture
def not_under_nohup() -> Iterator[None]:
    """SIGHUP as it is where nobody has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_raises(number: signal.Signals, not_under_nohup: None) -> None:
    with stop_requests() as stop:
        assert stop.name is None
        signal.raise_signal(number)
        assert stop.name == number.name
        # an echo, as `timeout` sends it
        signal.raise_signal(number)
        time.sleep(2 * signals.ECHO)
        with pytest.raises(StopNow):
            signal.raise_signal(number)


def test_where_nothing_is_under_way_the_first_raises() -> None:
    time.sleep(2 * signals.ECHO)
    with pytest.raises(StopNow), leaving_at_once():
        signal.raise_signal(signal.SIGTERM)


def test_a_grace_that_is_over_ends_work_that_looks_at_nothing_and_catches_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "REPEAT", 0.2)
    caught = 0

    def forward() -> None:
        nonlocal caught
        try:
            time.sleep(30)
        except:  # noqa: E722
            caught += 1

    def work() -> None:
        with stop_requests(0.1, raising=True):
            signal.raise_signal(signal.SIGTERM)
            forward()
            time.sleep(30)

    with pytest.raises(StopNow):
        work()
    assert caught == 1
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0.0


def test_nohup_is_minded_and_another_thread_goes_without() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop_requests() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop.name is None
    signal.signal(signal.SIGHUP, before)
    errors: list[BaseException] = []

    def listen() -> None:
        try:
            with leaving_at_once(), stop_requests(raising=True):
                pass
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert errors == []


JOB = """
import subprocess, sys, time
from pathlib import Path
from atlas.engine.signals import job_signals, stop_requests
from atlas.store.lock import Lock
with job_signals(), Lock(Path("a/lock")), stop_requests(1000):
    child = subprocess.Popen(["sleep", "1000"])
    Path("a/child").write_text(str(child.pid))
    while True:
        try:
            sum(range(10**6))
        except:
            pass
"""


def test_a_second_signal_ends_a_job_that_hears_none_with_all_it_started_and_unlocks(tmp_path: Path) -> None:
    job = subprocess.Popen([sys.executable, "-c", JOB], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    end, note = time.monotonic() + 30, tmp_path / "a" / "child"
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)
    child = psutil.Process(int(note.read_text()))
    for _ in range(2):
        job.send_signal(signal.SIGTERM)
        time.sleep(4 * signals.ECHO)
    _, errors = job.communicate(timeout=30)
    assert (job.returncode, errors) == (75, "stopped at once by a second signal; run the same again to resume\n")
    assert not (tmp_path / "a" / "lock").exists()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
