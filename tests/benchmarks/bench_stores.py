"""What a job of many tiny shards takes in a folder and in an object store: `cluster=inline`, an image of four steps each.

    PYTHONPATH=tests:. python tests/benchmarks/bench_stores.py [IMAGES]

The store is a real S3 server on this machine (SeaweedFS), with no network between. The two take turns, the quickest of each
counts; prints one line of JSON for each.
"""

import json
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from object_store import new_place, serving, use
from sweeps import run_small

from atlas.store.paths import AtlasPaths

ROUNDS = 3


def job(out: Any, images: int) -> dict[str, Any]:
    """Make so many images, a shard each; the figures."""
    began, worked = time.perf_counter(), time.process_time()
    outcome = run_small(out, "layers=[conv1,conv2,conv3]", f"channels=0:{images // 3}", "cluster.shard_seconds=0.001")
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    assert outcome.left == 0
    events = [json.loads(line) for line in AtlasPaths(out).events.read_text().splitlines()]
    times = [datetime.fromisoformat(event["time"]) for event in events if event["event"] == "commit"]
    rate = (len(times) - 1) / (times[-1] - times[0]).total_seconds()
    return {
        "images": outcome.made,
        "commits": len(times),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "commits_a_second": round(rate, 1),
    }


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 96
    folder = Path(mkdtemp())
    (folder / "s3").mkdir()
    results: dict[str, list[dict[str, Any]]] = {"folder": [], "s3": []}
    with serving(folder / "s3") as endpoint:
        use(endpoint)
        # loads what both need
        job(folder / "first", 3)
        for number in range(ROUNDS):
            results["folder"].append(job(folder / f"a{number}", images))
            results["s3"].append(job(new_place(), images))
    for place, rounds in results.items():
        print(json.dumps({"place": place, **min(rounds, key=lambda figures: figures["seconds"])}), flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
