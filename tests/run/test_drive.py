"""The driver with a scripted executor: patience, signals and storage that fails, with no Ray and no network."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import atlas.run.drive as drive
from atlas.config.schema import ClusterConfig
from atlas.records import Receipt, Shard
from atlas.run.drive import Driver, Ending, Watch
from atlas.run.events import Died, Done, Event, Fail, Ready, Trouble
from atlas.run.progress import Count, Lines, StatusFile
from atlas.run.signals import StopRequest
from atlas.store.paths import AtlasPaths
from tests.run.test_scheduler import receipt, shard

Answer = Callable[[int, Shard], list[Event]]


class Scripted:
    """An executor that loads at once and answers each shard by a script; None: never."""

    slots = 1

    def __init__(self, answer: Answer) -> None:
        self.answer, self.killed = answer, 0
        self.events: list[Event] = []

    def start(self, slot: int, model: str) -> None:
        self.events.append(Ready(slot))

    def send(self, slot: int, of: Shard) -> None:
        self.events += self.answer(slot, of)

    def kill(self, slot: int) -> None:
        self.killed += 1

    def poll(self, timeout: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def where(self, slot: int) -> str:
        return "here:1"

    def asked(self) -> str:
        return "one actor"

    def close(self) -> None:
        pass


class Paper:
    """A keeper on paper; `broken` commits fail first."""

    def __init__(self, broken: int = 0) -> None:
        self.logged: list[tuple[str, dict[str, object]]] = []
        self.committed: list[str] = []
        self.failed: list[str] = []
        self.broken = broken

    def commit(self, receipt: Receipt, of: Shard) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError(5, "Input/output error")
        self.committed.append(of.id)

    def fail(self, command: Fail) -> None:
        self.failed.append(command.shard.id)

    def log(self, event: str, **facts: object) -> None:
        self.logged.append((event, facts))


def done(slot: int, of: Shard) -> list[Event]:
    return [Done(slot, receipt(of))]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a second passes on at each look."""
    time = [0.0]

    def tick() -> float:
        time[0] += 1.0
        return time[0]

    monkeypatch.setattr(drive, "monotonic", tick)
    monkeypatch.setattr(drive.time, "sleep", lambda seconds: None)
    return time


def run(
    folder: Path, answer: Answer, *, keeper: Paper | None = None, stop: StopRequest | None = None, **cluster: float
) -> tuple[Ending, Scripted, Paper]:
    executor, paper = Scripted(answer), keeper or Paper()
    watch = Watch(ClusterConfig(kind="inline", **cluster), rate=1e9)
    folder.mkdir(exist_ok=True)
    count, status = Count(4, 4), StatusFile(AtlasPaths(folder), "a")
    driver = Driver(executor, paper, watch=watch, count=count, display=Lines(), status=status)
    return driver.run([shard()], stop or StopRequest()), executor, paper


def test_a_run_ends_when_all_is_committed(tmp_path: Path, now: list[float]) -> None:
    ending, _, paper = run(tmp_path, done)
    assert ending.stopped is None
    assert paper.committed == [shard().id]


def test_what_a_receipt_notes_is_told_and_logged(
    tmp_path: Path, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    def noted(slot: int, of: Shard) -> list[Event]:
        return [Done(slot, replace(receipt(of), notes=("2 pictures cannot be read",)))]

    _, _, paper = run(tmp_path, noted)
    assert "2 pictures cannot be read\n" in capsys.readouterr().err
    assert paper.logged[-1] == ("note", {"shard": shard().id, "message": "2 pictures cannot be read"})


def test_what_each_worker_does_is_told_in_its_shards_own_words(tmp_path: Path, now: list[float]) -> None:
    run(tmp_path, done)
    (worker,) = json.loads((tmp_path / "status.json").read_text())["workers"]
    assert (worker["model"], worker["doing"], worker["items"]) == ("a", "a/layer l1", 4)


def test_work_that_hangs_is_killed_and_given_up_image_by_image(tmp_path: Path, now: list[float]) -> None:
    ending, executor, paper = run(tmp_path, lambda slot, of: [], deadline=10.0)
    assert ending.stopped is None
    assert executor.killed >= 8
    assert (len(paper.committed), len(paper.failed)) == (0, 4)


def test_a_grace_that_is_over_ends_the_run_and_charges_nothing(tmp_path: Path, now: list[float]) -> None:
    stop = StopRequest()

    def never(slot: int, of: Shard) -> list[Event]:
        stop.name = "SIGTERM"
        return []

    ending, executor, paper = run(tmp_path, never, stop=stop, grace=20.0)
    assert ending.stopped == "stopped by SIGTERM"
    assert executor.killed == 1
    assert paper.committed == paper.failed == []


def test_a_signal_after_the_storage_has_failed_is_still_a_clean_stop(tmp_path: Path, now: list[float]) -> None:
    stop = StopRequest()

    def full(slot: int, of: Shard) -> list[Event]:
        stop.name = "SIGINT"
        return [Trouble(slot, of.id, "disk full")]

    ending, _, paper = run(tmp_path, full, stop=stop)
    assert ending.stopped is not None
    assert paper.failed == []


def test_a_commit_that_fails_for_a_moment_is_tried_again(tmp_path: Path, now: list[float]) -> None:
    ending, _, paper = run(tmp_path, done, keeper=Paper(broken=2))
    assert ending.stopped is None
    assert paper.committed == [shard().id]


def test_a_commit_that_never_works_stops_the_run_resumably(tmp_path: Path, now: list[float]) -> None:
    ending, _, paper = run(tmp_path, done, keeper=Paper(broken=99))
    assert ending.stopped is not None
    assert "cannot be written" in ending.stopped
    assert paper.committed == []


def test_actors_that_never_come_are_said_to_be_missing(tmp_path: Path, now: list[float]) -> None:
    class Silent(Scripted):
        def start(self, slot: int, model: str) -> None:
            pass

    driver = Driver(
        Silent(done),
        Paper(),
        watch=Watch(ClusterConfig(kind="ray", start_timeout=30.0), rate=1e9),
        count=Count(4, 4),
        display=Lines(),
        status=StatusFile(AtlasPaths(tmp_path), "a"),
    )
    ending = driver.run([shard()], StopRequest())
    assert ending.stopped is not None
    assert "no actor has become ready" in ending.stopped


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path, now: list[float]) -> None:
    deaths = [1]

    def mortal(slot: int, of: Shard) -> list[Event]:
        return [Died(slot, "killed")] if deaths and deaths.pop() else done(slot, of)

    ending, _, paper = run(tmp_path, mortal)
    assert ending.stopped is None
    assert paper.committed == [shard().id]
