"""Where the time of whole `atlas generate` jobs goes, stage by stage, from their events and index: `make bench`.

`--checkout DIR` (again for each) runs other checkouts in turn, so that before and after are measured side by side.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import sleep, time

import psutil
import pyarrow.parquet as pq

JOBS = {
    "patternnet": ["model=patternnet", "layers=[conv3]", "channels=0:8"],
    "efficientnet_lite0": ["model=efficientnet_lite0", "layers=[blocks.3]", "channels=0:8"],
    # one after another: from the last image of one to the first of the next, its seconds are those of `commit`
    "both": ["model=[patternnet,efficientnet_lite0]", "layers=[conv1,blocks.0]", "channels=0:2"],
}
CLUSTERS = ("inline", "local")
STAGES = ("begin", "ray", "load", "optimise", "write", "commit", "close", "end")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>: orphans become ours, and are counted
LOOK = 0.1  # seconds between two looks at the processes of a job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, action="append", help="of Atlas; default: this one")
    parser.add_argument("--model", choices=JOBS, action="append", help="default: all")
    parser.add_argument("--cluster", choices=CLUSTERS, action="append", help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="of the default recipe's 160")
    parser.add_argument("overrides", nargs="*", help="more of the job's, as channels=0:64")
    given = parser.parse_args()
    checkouts = given.checkout or [Path(__file__).resolve().parents[2]]
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    print(f"seconds, median of {given.rounds}; one worker, one thread, {given.steps} steps an image")
    print(f"{'job':<40}{'wall':>7}{'CPU':>7}  {''.join(f'{stage:>9}' for stage in STAGES)}{'overhead':>10}")
    for model in given.model or JOBS:
        for cluster in given.cluster or CLUSTERS:
            octave = f"recipe.octaves=[{{steps: {given.steps}, lr: [0.02, 0.004], sigma: null}}]"
            words = [*JOBS[model], octave, f"cluster={cluster}", "cluster.actors=1", *given.overrides]
            runs: dict[Path, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
            for _ in range(given.rounds):
                for checkout in checkouts:
                    runs[checkout].append(_run(checkout, words))
            for checkout, each in runs.items():
                _print(f"{checkout.name}: {model} {cluster}", each)


def _run(checkout: Path, words: list[str]) -> dict[str, float]:
    """The seconds of one job in a new folder, by stage."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "atlas")
        command = [sys.executable, "-m", "atlas", "generate", *words, f"out={out}"]
        variables = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
        began = time()
        with open(Path(folder, "said"), "wb") as said:
            job = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
            cpu = _watched(job)
        wall = time() - began
        if job.returncode:
            sys.exit(Path(folder, "said").read_text())
        stages = dict(zip(STAGES, _stages(out, began, began + wall), strict=True))
        return {"wall": wall, "CPU": cpu, **stages, "overhead": 1 - stages["optimise"] / wall}


def _stages(out: Path, began: float, ended: float) -> Iterator[float]:
    """Seconds of each of STAGES: they follow one another where there is one worker.

    begin: until there is a plan, on record. ray: until it runs. load: the model, for the work. optimise: as the index
    has it. write: encode, hash and write, as far as the worker waits for it. commit: and all else between shards.
    close: the workers, and Ray. end: contact sheets and views.
    """
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    when = {event["event"]: datetime.fromisoformat(event["time"]).timestamp() for event in reversed(events)}
    commits = [event for event in events if event["event"] == "commit"]
    first = when["commit"] - commits[0]["seconds"]
    last = datetime.fromisoformat(commits[-1]["time"]).timestamp()
    busy = sum(event["seconds"] for event in commits)
    index = [pq.read_table(path, columns=["seconds"], partitioning=None) for path in out.glob("index/**/*.parquet")]
    optimise = sum(sum(table["seconds"].to_pylist()) for table in index)
    yield when["begin"] - began
    yield when["start"] - when["begin"]
    yield first - when["start"]
    yield optimise
    yield busy - optimise
    yield last - first - busy
    yield when["end"] - last
    yield ended - when["end"]


def _watched(job: subprocess.Popen[bytes]) -> float:
    """Wait for a job; the seconds of processor that it and all that it has started have had, but for their last LOOK.

    Ray does not wait for its workers, so the system does not add up their time.
    """
    seconds: dict[tuple[int, float], float] = {}
    while job.poll() is None:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                times = process.cpu_times()
                seconds[process.pid, process.create_time()] = times.user + times.system
        sleep(LOOK)
    return sum(seconds.values())


def _print(label: str, runs: list[dict[str, float]]) -> None:
    median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    stages = "".join(f"{median[stage]:>9.2f}" for stage in STAGES)
    print(f"{label:<40}{median['wall']:>7.1f}{median['CPU']:>7.1f}  {stages}{median['overhead']:>10.0%}", flush=True)


if __name__ == "__main__":
    main()
