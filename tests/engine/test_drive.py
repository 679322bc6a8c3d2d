"""The driver with a scripted executor: patience, signals and storage that fails, with no Ray and no network."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from atlas.config.schema import ClusterConfig
from atlas.engine.attempt import Attempt
from atlas.engine.clock import Clock
from atlas.engine.drive import Driver, Ending, Patience
from atlas.engine.events import Died, Done, Event, Fail, Ready, Trouble
from atlas.engine.executor import Executor
from atlas.engine.progress import Count, Lines, StatusFile
from atlas.engine.publisher import Publisher
from atlas.engine.pulse import Pulse
from atlas.engine.signals import StopRequest
from atlas.engine.watchers import Sight
from atlas.records import Shard
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from tests.engine.test_scheduler import receipt, shard

Answer = Callable[[int, Shard], list[Event]]


class Scripted:
    """An executor that loads at once and answers each shard by a script; None: never."""

    slots = 1

    def __init__(self, answer: Answer) -> None:
        self.answer, self.killed = answer, 0
        self.events: list[Event] = []

    def start(self, slot: int, model: str) -> None:
        self.events.append(Ready(slot))

    def load(self, slot: int, model: str) -> None:
        self.start(slot, model)

    def send(self, slot: int, attempt: Attempt) -> None:
        self.events += self.answer(slot, attempt.shard)

    def kill(self, slot: int) -> None:
        self.killed += 1

    def poll(self, timeout: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def where(self, slot: int) -> str:
        return "here:1"

    def watch(self, sight: Sight) -> None:
        pass

    def request(self) -> str:
        return "one actor"

    def close(self) -> None:
        pass


class FailingStorage:
    """Storage on which the first moves of files fail; later ones succeed, with nothing to move."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def publish(self, source: Path, target: Path) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(5, "Input/output error")


@dataclass
class Record:
    """What became of a run: read from events.jsonl, but for the items that failed."""

    paths: AtlasPaths
    failed: list[str] = field(default_factory=list)

    def fail(self, command: Fail) -> None:
        self.failed.append(command.shard.id)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.paths.events.read_text().splitlines()]

    @property
    def committed(self) -> list[str]:
        return [event["shard"] for event in self.events if event["event"] == "commit"]


def done(slot: int, of: Shard) -> list[Event]:
    return [Done(slot, receipt(of))]


class FastClock(Clock):
    """A second passes at each look, and none while it sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        self.seconds += 1.0
        return self.seconds

    def sleep(self, seconds: float) -> None:
        pass


def drive(
    folder: Path, executor: Executor, *, failures: int = 0, stop: StopRequest | None = None, **cluster: float
) -> tuple[Ending, Record]:
    """Drive one shard over an executor; `failures` moves of files fail first."""
    folder.mkdir(exist_ok=True)
    paths = AtlasPaths(folder)
    record = Record(paths)
    with Lock(paths.lock) as lock:
        driver = Driver(
            executor,
            Publisher(paths, lock, publish=FailingStorage(failures).publish),
            fail=record.fail,
            patience=Patience(ClusterConfig(kind="inline", **cluster), rate=1e9, clock=FastClock()),
            count=Count(4, 4),
            display=Lines(),
            status=StatusFile(paths, "a"),
        )
        return driver.run([shard()], stop or StopRequest()), record


def test_a_run_ends_when_all_is_committed(tmp_path: Path) -> None:
    ending, record = drive(tmp_path, Scripted(done))
    assert ending.stopped is None
    assert record.committed == [shard().id]


def test_what_a_receipt_notes_is_told_and_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def noted(slot: int, of: Shard) -> list[Event]:
        return [Done(slot, replace(receipt(of), notes=("2 pictures cannot be read",)))]

    _, record = drive(tmp_path, Scripted(noted))
    assert "2 pictures cannot be read\n" in capsys.readouterr().err
    (note,) = (event for event in record.events if event["event"] == "note")
    assert (note["shard"], note["message"]) == (shard().id, "2 pictures cannot be read")
    assert [event["event"] for event in record.events[-2:]] == ["note", "account"]


def test_what_each_worker_does_is_told_in_its_shards_own_words(tmp_path: Path) -> None:
    drive(tmp_path, Scripted(done))
    (worker,) = json.loads((tmp_path / "status.json").read_text())["workers"]
    assert (worker["model"], worker["doing"], worker["items"]) == ("a", "a/layer l1", 4)


def test_work_that_hangs_is_killed_and_given_up_image_by_image(tmp_path: Path) -> None:
    executor = Scripted(lambda slot, of: [])
    ending, record = drive(tmp_path, executor, deadline=10.0)
    assert ending.stopped is None
    assert executor.killed >= 8
    assert (len(record.committed), len(record.failed)) == (0, 4)


def test_a_note_that_cannot_be_removed_holds_no_work_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("note-"):
            raise OSError(5, "the store does not answer")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    tries: list[str] = []

    def after_trouble(slot: int, of: Shard) -> list[Event]:
        tries.append(of.id)
        return done(slot, of) if len(tries) > 1 else [Trouble(slot, of.id, "the store does not answer")]

    ending, record = drive(tmp_path, Scripted(after_trouble))
    assert ending.stopped is None
    assert record.committed == [shard().id]


def test_a_grace_that_is_over_ends_the_run_and_charges_nothing(tmp_path: Path) -> None:
    stop = StopRequest()

    def never(slot: int, of: Shard) -> list[Event]:
        stop.name = "SIGTERM"
        return []

    executor = Scripted(never)
    ending, record = drive(tmp_path, executor, stop=stop, grace=20.0)
    assert ending.stopped == "stopped by SIGTERM"
    assert executor.killed == 1
    assert record.committed == record.failed == []


def test_a_signal_during_work_in_this_process_is_answered_before_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = StopRequest()

    class Inline(Scripted):
        def poll(self, timeout: float) -> list[Event]:
            if self.events and stop.name is None and isinstance(self.events[0], Done):
                stop.name = "SIGINT"
                pulse = Pulse(tmp_path / "pulse", 1.0)
                pulse._next = 0.0
                pulse.beat(0.5)
                answered.append("finishing what is under way" in capsys.readouterr().err)
            return super().poll(timeout)

    answered: list[bool] = []
    ending, record = drive(tmp_path, Inline(done), stop=stop)
    assert answered == [True]
    assert ending.stopped == "stopped by SIGINT"
    assert record.committed == [shard().id]


def test_a_signal_after_the_storage_has_failed_is_still_a_clean_stop(tmp_path: Path) -> None:
    stop = StopRequest()

    def full(slot: int, of: Shard) -> list[Event]:
        stop.name = "SIGINT"
        return [Trouble(slot, of.id, "disk full")]

    ending, record = drive(tmp_path, Scripted(full), stop=stop)
    assert ending.stopped is not None
    assert record.failed == []


def test_a_commit_that_fails_for_a_moment_is_tried_again(tmp_path: Path) -> None:
    ending, record = drive(tmp_path, Scripted(done), failures=2)
    assert ending.stopped is None
    assert record.committed == [shard().id]


def test_a_commit_that_never_works_stops_the_run_resumably(tmp_path: Path) -> None:
    ending, record = drive(tmp_path, Scripted(done), failures=99)
    assert ending.stopped is not None
    assert "cannot be written" in ending.stopped
    assert record.committed == []


def test_actors_that_never_come_are_said_to_be_missing(tmp_path: Path) -> None:
    class Silent(Scripted):
        def start(self, slot: int, model: str) -> None:
            pass

    ending, _ = drive(tmp_path, Silent(done), start_timeout=30.0)
    assert ending.stopped is not None
    assert "no actor has become ready" in ending.stopped


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    deaths = [1]

    def mortal(slot: int, of: Shard) -> list[Event]:
        return [Died(slot, "killed")] if deaths and deaths.pop() else done(slot, of)

    ending, record = drive(tmp_path, Scripted(mortal))
    assert ending.stopped is None
    assert record.committed == [shard().id]
