"""The driver's side of the process that holds Ray, over a child without Ray: every way in which that can end."""

import os
import signal
import socket
from typing import Any

import psutil
import pytest

from atlas.config.schema import ClusterConfig
from atlas.engine import ray_process
from atlas.engine.events import Draining, Event, Joined, Left, Ready
from atlas.engine.executor import ActorShape, ClusterError, ClusterGone
from atlas.engine.ray_process import PartWatch, RayProcess
from atlas.engine.signals import StopNow, StopRequest

# of a child process, which imports what this one does
pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_process, "CHILD", "tests.engine.fake_ray_child")
    monkeypatch.setattr(ray_process, "CLOSING", 5.0)


def opened(*work: Any, stop: StopRequest | None = None, **cluster: float) -> RayProcess:
    shape = ActorShape(2, 1, 0.0, most=2)
    return RayProcess(work, shape, ClusterConfig(kind="local", **cluster), stop or StopRequest())  # type: ignore[arg-type]


def first_events(executor: RayProcess) -> list[Event]:
    while not (events := executor.poll(0.1)):
        pass
    return events


def test_what_actors_report_is_heard_but_for_those_that_were_replaced() -> None:
    executor = opened("serve")
    assert (executor.slots, executor.request(), executor.where(1)) == (2, "asked for 2", "waiting for resources")
    executor.start(1, "a")
    assert first_events(executor) == [Ready(1)]
    assert executor.where(1) == "here:1"
    executor.load(1, "b")
    assert first_events(executor) == [Ready(1)], "of the same actor"
    assert executor.where(1) == "here:1"
    executor.close()


def test_what_is_told_of_a_slot_itself_is_heard_whichever_actor_is_in_it() -> None:
    executor = opened("nodes")
    executor.start(1, "a")
    assert first_events(executor) == [Joined(2), Draining(1, "spot"), Left(1, "gone")]
    assert executor.request() == "asked for 3"
    executor.close()


def test_a_cluster_that_cannot_be_had_is_refused_with_its_own_words() -> None:
    with pytest.raises(ClusterError, match=r"^no such cluster$"):
        opened("refuse")
    with pytest.raises(ClusterError, match=r"exit code 1 \(it is broken\)"):
        opened("break")


def test_a_start_that_takes_too_long_or_is_stopped_ends_and_leaves_no_process() -> None:
    with pytest.raises(ClusterGone, match="not started"):
        opened("sleep", start_timeout=0.5)
    stop = StopRequest()
    stop.name = "SIGTERM"
    with pytest.raises(StopNow):
        opened("sleep", stop=stop)
    assert [child for child in psutil.Process().children() if "fake_ray" in " ".join(child.cmdline())] == []


def test_a_death_of_ray_is_one_sentence_and_what_is_said_after_it_does_no_harm() -> None:
    executor = opened("serve")
    executor.kill(0)
    with pytest.raises(ClusterGone, match="Ray is gone: its process ended with exit code 7"):
        first_events(executor)
    executor.start(0, "a")
    executor.close()


def test_a_frozen_ray_is_noticed_and_closing_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_process, "SILENCE", 0.5)
    monkeypatch.setattr(ray_process, "CLOSING", 0.5)
    executor = opened("serve")
    os.kill(executor._child.pid, signal.SIGSTOP)
    with pytest.raises(ClusterGone, match="does not answer"):
        first_events(executor)
    executor.close()
    assert executor._child.returncode == -signal.SIGKILL
    opened("freeze").close()


def test_a_part_of_ray_that_listens_no_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_process, "PROBE_EVERY", 0.0)
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    watch = PartWatch({"raylet": address, "unseen": ("127.0.0.1", 1)})
    assert [watch.gone() for _ in range(5)] == [None] * 5
    listener.close()
    answers = [watch.gone() for _ in range(ray_process.PROBES)]
    assert answers[:-1] == [None] * (ray_process.PROBES - 1)
    assert answers[-1] == f"Ray's raylet at 127.0.0.1:{address[1]} is gone"


def test_a_run_ends_within_seconds_of_its_gcs() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    executor = opened("serve", *listener.getsockname())
    listener.close()
    with pytest.raises(ClusterGone, match="GCS"):
        first_events(executor)
    executor.close()
