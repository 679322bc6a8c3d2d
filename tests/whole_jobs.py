"""Jobs in processes of their own, as a shell starts, watches and kills them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil


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
        timeout=200,
        check=False,
    )


def begin(*words: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Start `atlas …` in a process group of its own; what it prints goes to the files stdout and stderr of `cwd`."""
    with open(cwd / "stdout", "w") as stdout, open(cwd / "stderr", "w") as stderr:
        command = [sys.executable, "-m", "atlas", *words]
        streams = {"stdout": stdout, "stderr": stderr, "env": {**os.environ, **variables}}
        return subprocess.Popen(command, cwd=cwd, text=True, start_new_session=True, **streams)


def wait_for(path: Path, pattern: str, count: int, seconds: float = 90) -> None:
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
