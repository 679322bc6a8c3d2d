"""`make soak`: a job on a cluster whose nodes, actors and driver are killed, frozen and drained at random, for so many minutes.

    PYTHONPATH=.:tests python tests/soak.py [MINUTES] [--seed N]

At the end the atlas must be whole, hold each image once, and be the same to the byte as one that was made undisturbed.
Prints what was done to it, and what it cost, as one line of JSON; exit code 0 when all of that holds.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil
from sweeps import image_bytes, rows_of

from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.napping import napping
from tests.ray_cluster import RayCluster
from tests.whole_jobs import Watched, begin, kill_all

NODES = 3  # of one CPU each, at most
PAUSES = (1.0, 8.0)  # seconds of work between two disturbances
PATIENCE = 240.0  # seconds for an actor to be at work; what is disturbed after that is its start
SEEDS = 1  # images of each channel and metric, for each minute
FAULTS = (
    "kill_actor",
    "kill_actor",
    "freeze_actor",
    "kill_node",
    "stop_node",
    "drain_node",
    "kill_driver",
    "interrupt",
)


class Soak:
    """A job, its cluster, and what is done to both."""

    def __init__(self, folder: Path, cluster: RayCluster, *, minutes: float, seed: int) -> None:
        self.folder, self.cluster, self.minutes = folder, cluster, minutes
        self.random, self.faults, self.codes = random.Random(seed), Counter[str](), Counter[int]()
        self.nodes: list[str] = []
        self.count = 0
        seeds = ",".join(map(str, range(max(1, round(SEEDS * minutes)))))
        self.words = (*napping(folder), "cluster.batch=8", "metric=[l1,l2,linf,mean]", f"seeds=[{seeds}]")
        self.verified = 0
        # this checkout, also where another one is installed
        self.path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])

    @property
    def out(self) -> Path:
        return self.folder / "outputs" / "soaked"

    def begin(self) -> None:
        """Start the job, or start it again."""
        places = ("cluster=ray", f"cluster.address={self.cluster.address}", "cluster.deadline=20", "cluster.grace=5")
        words = ("generate", *self.words, "name=soaked", "retry=failed", *places)
        self.job = begin(*words, cwd=self.folder, PYTHONPATH=self.path)
        self.watched = Watched(self.job, self.out)

    def add_nodes(self) -> None:
        """Bring the cluster back to as many nodes as it may have."""
        while len(self.nodes) < NODES:
            self.count += 1
            self.nodes.append(f"n{self.count}")
            self.cluster.add(self.nodes[-1], num_cpus=1)

    def work(self) -> None:
        """Let it work for a moment, once an actor does; start again what has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self.at_work():
            if self.job.poll() is not None:
                self.ended()
                self.begin()
            time.sleep(0.5)
        time.sleep(self.random.uniform(*PAUSES))

    def at_work(self) -> bool:
        """Whether the present driver has an actor that works."""
        if self.job.poll() is not None or not self.watched.pids():
            return False
        return self.watched.status().get("pid") == self.job.pid and any(w["doing"] for w in self.watched.workers())

    def disturb(self) -> None:
        """Do something to it."""
        fault = self.random.choice(FAULTS)
        if getattr(self, fault)():
            self.faults[fault] += 1
        if self.random.random() < 0.7:
            self.add_nodes()

    def ended(self) -> None:
        """Look at what a driver has left: never is it broken, whatever has ended it."""
        self.codes[self.job.returncode] += 1
        if self.out.exists():
            assert verify(AtlasPaths(self.out)).exit_code in (0, 3), "broken"
            self.verified += 1

    def kill_actor(self) -> bool:
        return self._signal_actor(signal.SIGKILL)

    def freeze_actor(self) -> bool:
        return self._signal_actor(signal.SIGSTOP)

    def _signal_actor(self, number: signal.Signals) -> bool:
        pids = [pid for pid in self.watched.pids() if psutil.pid_exists(pid)]
        # one that waits, or was ended just now, has none
        with suppress(ProcessLookupError, IndexError):
            os.kill(self.random.choice(pids), number)
            return True
        return False

    def kill_node(self) -> bool:
        return self._node(self.cluster.kill)

    def stop_node(self) -> bool:
        return self._node(self.cluster.stop)

    def drain_node(self) -> bool:
        """A node says that it leaves, and does so a little later."""
        if not self.nodes:
            return False
        self.cluster.drain(self.nodes[0])
        time.sleep(2.0)
        return self._node(self.cluster.kill)

    def _node(self, end: Any) -> bool:
        if not self.nodes:
            return False
        end(self.nodes.pop(0))
        return True

    def kill_driver(self) -> bool:
        kill_all(self.job)
        return True

    def interrupt(self) -> bool:
        self.job.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.job.wait(60)
        return True

    def calm_down(self) -> None:
        """Let the job end."""
        (self.folder / "nap").unlink()
        self.add_nodes()
        for _ in range(3):
            if self.job.poll() is None:
                self.job.wait(3600)
            self.ended()
            if self.job.returncode == 0:
                return
            self.begin()
        sys.exit(f"it does not end: {(self.folder / 'stderr').read_text()[-2000:]}")

    def compare(self) -> dict[str, Any]:
        """Whether the atlas is what it would be undisturbed; the figures."""
        rows, failures = rows_of(self.out, ["task", "seconds"]), rows_of(self.out, folder="failures")
        words = ("-m", "atlas", "generate", *self.words, "name=undisturbed", "cluster=inline")
        undisturbed = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": self.path},
            capture_output=True,
            check=True,
        )
        assert undisturbed.returncode == 0
        same = image_bytes(self.out) == image_bytes(self.folder / "outputs" / "undisturbed")
        assert verify(AtlasPaths(self.out)).exit_code == 0, "not whole"
        assert len(rows) == len({row["task"] for row in rows}), "twice"
        assert same, "other bytes"
        assert not failures, failures
        events = [json.loads(line) for line in (self.out / "events.jsonl").read_text().splitlines()]
        return {
            "minutes": self.minutes,
            "faults": dict(self.faults),
            "nodes": self.count,
            "drivers": dict(self.codes),
            "verified": self.verified,
            "images": len(rows),
            "commits": sum(event["event"] == "commit" for event in events),
            "actors": sum(event["event"] == "start" for event in events),
            "worker_events": Counter(event["what"] for event in events if event["event"] == "worker"),
            "same_bytes": same,
            "failed_on_the_way": sum(event["event"] == "failed" for event in events),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    folder = Path(mkdtemp(prefix="s", dir="/tmp"))
    with RayCluster(folder / "r") as cluster:
        soak = Soak(folder, cluster, minutes=asked.minutes, seed=asked.seed)
        soak.add_nodes()
        soak.begin()
        end = time.monotonic() + 60 * asked.minutes
        while time.monotonic() < end:
            soak.work()
            soak.disturb()
        soak.calm_down()
        print(json.dumps(soak.compare()))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
