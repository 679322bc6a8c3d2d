"""A head of Ray with its dashboard, as `ray start` starts it on a cluster: jobs are submitted to it, and its gauges read."""

import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from atlas.engine.ray_process import LOOPBACK
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
# `make build/cluster/.ready` makes it: what .venv has, and what the dashboard of Ray needs
PYTHON = ROOT / "build/cluster/bin/python"
RAY = (str(PYTHON), "-m", "ray.scripts.scripts")
READY = 120.0  # seconds until the dashboard answers, at most
PORTS = ("port", "dashboard-port", "dashboard-agent-listen-port", "dashboard-agent-grpc-port", "metrics-export-port")
# Prometheus's own reader of what it scrapes
READER = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families as families
print(json.dumps([(s.name, s.labels, s.value) for family in families(sys.stdin.read()) for s in family.samples]))
"""


@dataclass(frozen=True)
class RayHead:
    """A running one, of which everything is asked as its users ask it."""

    ports: dict[str, int]
    variables: dict[str, str]  # among them the token, without which it answers nobody

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.ports['dashboard-port']}"

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`ray …`, to its end, with stdout and stderr as one text."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run([*RAY, *words], cwd=ROOT, env=self.variables, timeout=280, check=False, **streams)

    def submit(self, recipe: str, *words: str, path: Path, options: tuple[str, ...] = ()) -> Any:
        """Submit what a recipe of docs/cluster.md submits, with `generate` and these words for its own. path: of more imports."""
        command = shlex.split(recipe.replace("\\\n", " "))
        first = command.index("--address") + 1
        command[first] = self.dashboard
        environment = command.index("--runtime-env-json") + 1
        variables = json.loads(command[environment])["env_vars"]
        command[environment] = json.dumps({"env_vars": {**variables, "PYTHONPATH": str(path)}})
        run, place = command.index("run"), command.index("--")
        assert command[:3] == ["ray", "job", "submit"]
        where = [word for word in command[run:] if word.startswith("cluster")]
        return self.ask(*command[1:place], *options, *command[place:run], "generate", *words, *where)

    def state(self, job: str) -> str:
        """PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED."""
        said = self.ask("job", "status", "--address", self.dashboard, job).stdout
        states = re.findall(r"PENDING|RUNNING|SUCCEEDED|FAILED|STOPPED|succeeded|failed|stopped", said)
        return states[-1].upper() if states else said

    def gauges(self) -> list[tuple[str, dict[str, str], float]]:
        """What Prometheus gets of Atlas when it asks the node: name, labels and value of each sample."""
        url = f"http://127.0.0.1:{self.ports['metrics-export-port']}/metrics"
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
        done = subprocess.run(
            [PYTHON, "-c", READER], input=text, capture_output=True, text=True, check=True, timeout=60
        )
        return [sample for sample in json.loads(done.stdout) if sample[0].startswith("ray_atlas_")]


@contextmanager
def ray_head(folder: Path, cpus: int) -> Iterator[RayHead]:
    """Start one, and kill all of it. folder: of a short path, since Ray's sockets lie in it."""
    assert PYTHON.exists(), f"{PYTHON} is not there: `make build/cluster/.ready` makes it"
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    variables = {
        **os.environ,
        **LOOPBACK,
        # `python` in the command of a job is the one that is found there
        "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    options = [f"--{name}={number}" for name, number in ports.items()]
    here = ("--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--temp-dir={folder}", f"--num-cpus={cpus}")
    words = [*RAY, "start", "--head", "--block", "--object-store-memory=100000000", *here, *options]
    with open(folder / "head.log", "w") as log:
        process = subprocess.Popen(
            words, env=variables, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        head = RayHead(ports, variables)
        _until_ready(head, process, folder / "head.log")
        yield head
    finally:
        _end(process)


def _until_ready(head: RayHead, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY
    while head.ask("job", "list", "--address", head.dashboard).returncode != 0:
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.5)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it has started, jobs and actors too."""
    children = psutil.Process(process.pid).children(recursive=True)
    for each in children:
        try:
            each.kill()
        except psutil.Error:
            continue
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
