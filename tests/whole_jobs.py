"""Jobs in processes of their own, as a shell starts, watches and kills them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 240.0  # seconds for anything to happen, on a shared machine


def atlas(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `atlas …` to its end."""
    return run_python("-m", "atlas", *words, cwd=cwd, **variables)


def run_python(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python …` to its end."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def begin(*words: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Start `atlas …` in a process group of its own; what it prints goes to the files stdout and stderr of `cwd`."""
    with open(cwd / "stdout", "w") as stdout, open(cwd / "stderr", "w") as stderr:
        command = [sys.executable, "-m", "atlas", *words]
        streams = {"stdout": stdout, "stderr": stderr, "env": {**os.environ, **variables}}
        return subprocess.Popen(command, cwd=cwd, text=True, start_new_session=True, **streams)


def wait_for(path: Path, pattern: str, count: int, seconds: float = PATIENCE) -> None:
    """Until so many files are there."""
    end = time.monotonic() + seconds
    while len(list(path.rglob(pattern))) < count:
        assert time.monotonic() < end, f"no {count} {pattern} under {path}"
        time.sleep(0.05)


def kill_all(job: subprocess.Popen[str]) -> None:
    """Kill -9 a job and every process that it has started; one that has ended already stays so."""
    if job.poll() is not None:
        return
    for pid in [job.pid, *(child.pid for child in psutil.Process(job.pid).children(recursive=True))]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    job.wait()


class Watched:
    """A job, and what it tells while it runs."""

    def __init__(self, job: subprocess.Popen[str], out: Path) -> None:
        self.job, self.out = job, out

    def until(self, happens: Callable[[], bool]) -> None:
        """Wait for something to happen while the job runs."""
        end = time.monotonic() + PATIENCE
        while not happens():
            assert time.monotonic() < end and self.job.poll() is None, "it has not happened"
            time.sleep(0.1)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Its events of a kind."""
        path = self.out / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def status(self) -> dict[str, Any]:
        """What it tells other terminals."""
        try:
            return json.loads((self.out / "status.json").read_text())
        except (OSError, ValueError):
            return {}

    def workers(self) -> list[dict[str, Any]]:
        """What its workers do."""
        return self.status().get("workers", [])

    def pids(self) -> list[int]:
        """The processes of its workers, as far as they are known."""
        return [int(worker["where"].rpartition(":")[2]) for worker in self.workers() if ":" in worker["where"]]

    def works(self, slot: int) -> bool:
        """Whether a slot's worker is at work."""
        return any(worker["slot"] == slot and worker["doing"] for worker in self.workers())

    def told(self, slot: int, *what: str) -> bool:
        """Whether it has said that of a slot's worker."""
        return any(event["slot"] == slot and event["what"] in what for event in self.events("worker"))
