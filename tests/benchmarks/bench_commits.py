"""How many shards a second the driver commits, on this disk and where each call that concerns files takes 5 ms.

    PYTHONPATH=. python tests/benchmarks/bench_commits.py [FOLDER]

The real driver, scheduler, publisher and lock over an executor whose actors are done at once; each shard has a file of rows.
Prints one line of JSON for each storage.
"""

import builtins
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from atlas.config.schema import ClusterConfig
from atlas.engine.attempt import Attempt
from atlas.engine.drive import Driver, Patience
from atlas.engine.events import Done, Event, Ready
from atlas.engine.progress import Count, Lines, StatusFile
from atlas.engine.publisher import Publisher
from atlas.engine.signals import StopRequest
from atlas.engine.watchers import Sight
from atlas.records import Receipt, Shard
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths

SLOTS = 64
DELAY = 0.005  # seconds of each call
# what asks a file system's server: names, folders, and that all is on the disk
CALLS = (
    "open",
    "stat",
    "lstat",
    "mkdir",
    "rmdir",
    "unlink",
    "replace",
    "rename",
    "scandir",
    "listdir",
    "fsync",
    "utime",
)


@dataclass
class Instant:
    """An executor whose actors load and work in no time."""

    slots: int = SLOTS
    events: list[Event] = field(default_factory=list)

    def start(self, slot: int, model: str) -> None:
        self.events.append(Ready(slot))

    def load(self, slot: int, model: str) -> None:
        self.start(slot, model)

    def send(self, slot: int, attempt: Attempt) -> None:
        shard = attempt.shard
        file = f"staging/{shard.id}-0/index/model=m/layer=l/{shard.id}.parquet"
        self.events.append(Done(slot, Receipt(shard.id, (file,), 1, 0, 0, seconds=1.0, batch=1, peak_bytes=0)))

    def kill(self, slot: int) -> None:
        pass

    def poll(self, timeout: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def where(self, slot: int) -> str:
        return "here:1"

    def watch(self, sight: Sight) -> None:
        pass

    def request(self) -> str:
        return "nothing"

    def close(self) -> None:
        pass


@contextmanager
def slow_storage(delay: float, calls: Counter[str]) -> Iterator[None]:
    """Have each call of the system that concerns files take so much longer, and count them."""

    def slowed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*given: Any, **options: Any) -> Any:
            calls[name] += 1
            time.sleep(delay)
            return call(*given, **options)

        return slow

    places = [(os, name) for name in CALLS] + [(builtins, "open")]
    before = [(place, name, getattr(place, name)) for place, name in places]
    for place, name, call in before:
        setattr(place, name, slowed(name, call))
    try:
        yield
    finally:
        for place, name, call in before:
            setattr(place, name, call)


def commit_all(folder: Path, count: int, delay: float) -> dict[str, Any]:
    """Commit so many shards; the figures."""
    paths = AtlasPaths(folder)
    shards = [Shard(f"{n:020x}", "m", (n,), 1.0) for n in range(count)]
    for shard in shards:
        staged = paths.staging / f"{shard.id}-0" / "index" / "model=m" / "layer=l"
        staged.mkdir(parents=True)
        (staged / f"{shard.id}.parquet").write_bytes(b"rows" * 1000)
    calls = Counter[str]()
    with Lock(paths.lock) as lock:
        driver = Driver(
            Instant(),
            Publisher(paths, lock),
            fail=lambda command: None,
            patience=Patience(ClusterConfig(kind="ray"), rate=1e9),
            count=Count(count, count),
            display=Lines(),
            status=StatusFile(paths, "bench"),
        )
        with slow_storage(delay, calls):
            began = time.perf_counter()
            driver.run(shards, StopRequest())
            seconds = time.perf_counter() - began
    assert len(list((paths.index / "model=m" / "layer=l").iterdir())) == count
    return {
        "ms_a_call": 1000 * delay,
        "commits": count,
        "commits_a_second": round(count / seconds),
        "calls_a_commit": round(calls.total() / count, 1),
    }


def main() -> None:
    where = sys.argv[1] if len(sys.argv) > 1 else None
    for delay, count in ((0.0, 4000), (DELAY, 1000)):
        with TemporaryDirectory(dir=where) as folder:
            print(json.dumps(commit_all(Path(folder), count, delay)), flush=True)


if __name__ == "__main__":
    main()
