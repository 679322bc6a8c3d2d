"""Real faults of a machine, of Ray and of a model, each caused for real: what was planned is made, failed or left, once.

What kills an actor or a driver is in test_end_to_end.py, what a node does in test_elastic.py, what happens to files elsewhere.
"""

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest
from sweeps import image_bytes, rows_of, run_small

from atlas.cli.job import run_job
from atlas.engine.clock import Clock
from atlas.engine.slots import SETUPS
from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.napping import napping
from tests.ray_cluster import RayCluster
from tests.whole_jobs import PATIENCE, Watched, begin, kill_all

pytestmark = [pytest.mark.timeout(3 * PATIENCE), pytest.mark.usefixtures("cards_made_here")]

IMAGES = 64
# a response that is lost on its way is as good as a worker that cannot be reached
LOST_CALLS = {
    "CoreWorkerService.grpc_client.PushTask": {
        "num_failures": 3,
        "req_failure_prob": 0.2,
        "resp_failure_prob": 0.2,
        "in_flight_failure_prob": 0.1,
    }
}


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A job of a network that naps, from the folder in which it lies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return (*napping(tmp_path), "channels=0:32", "metric=[l1,l2]")


def same_as_undisturbed(words: tuple[str, ...], out: Path) -> None:
    """The atlas is whole, has each image once, and the bytes of one that nobody has disturbed."""
    rows = rows_of(out)
    assert len(rows) == len({row["task"] for row in rows}) == IMAGES
    assert verify(AtlasPaths(out)).exit_code == 0
    assert run_job("generate", [*words, "name=undisturbed", "cluster=inline"]) == 0
    assert image_bytes(out) == image_bytes(out.with_name("undisturbed"))


@pytest.mark.slow
@pytest.mark.process
def test_a_frozen_actor_costs_nothing_and_a_dead_raylet_ends_the_job_resumably(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """SIGSTOP of an actor; then kill -9 of the raylet of `cluster=local`; and a rerun."""
    out = tmp_path / "outputs" / "a"
    job = begin("generate", *words, "name=a", "cluster.actors=1", "cluster.deadline=4", cwd=tmp_path)
    watched = Watched(job, out)
    try:
        watched.until(lambda: watched.works(0) and bool(watched.pids()))
        os.kill(watched.pids()[0], signal.SIGSTOP)
        watched.until(lambda: watched.told(0, "Lost"))
        watched.until(lambda: len(watched.events("start")) > 1)
        for process in psutil.Process(job.pid).children(recursive=True):
            if process.name() == "raylet":
                process.kill()
        code = job.wait(timeout=PATIENCE)
    finally:
        kill_all(job)
    messages = (tmp_path / "stderr").read_text()
    assert code == 75, messages
    assert "run the same again to resume" in messages and "Traceback" not in messages
    assert rows_of(out, folder="failures") == []
    (tmp_path / "nap").unlink()
    assert run_job("generate", [*words, "name=a", "cluster=inline"]) == 0
    same_as_undisturbed(words, out)


@pytest.mark.slow
def test_an_actor_that_freezes_at_the_end_is_overtaken_by_an_idle_one(words: tuple[str, ...], tmp_path: Path) -> None:
    """With two shards for two actors, and a deadline that would be ten minutes."""
    out = tmp_path / "outputs" / "a"
    job = begin("generate", *words, "cluster.shard_seconds=60", "name=a", "cluster.actors=2", cwd=tmp_path)
    watched = Watched(job, out)
    try:
        watched.until(lambda: watched.works(0) and watched.works(1) and len(watched.pids()) == 2)
        os.kill(watched.pids()[0], signal.SIGSTOP)
        code = job.wait(timeout=PATIENCE)
    finally:
        kill_all(job)
    assert code == 0, (tmp_path / "stderr").read_text()
    assert not watched.events("worker"), "nobody was lost"
    (tmp_path / "nap").unlink()
    same_as_undisturbed(words, out)


@pytest.mark.slow
def test_calls_that_ray_loses_change_no_byte(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "nap").unlink()
    lost = {"RAY_testing_rpc_failure": json.dumps(LOST_CALLS)}
    job = begin("generate", *words, "name=a", "cluster.actors=2", "cluster.deadline=10", cwd=tmp_path, **lost)
    try:
        code = job.wait(timeout=PATIENCE)
    finally:
        kill_all(job)
    messages = (tmp_path / "stderr").read_text()
    assert code == 0, messages
    same_as_undisturbed(words, tmp_path / "outputs" / "a")


@pytest.mark.slow
def test_a_cluster_that_loses_its_head_ends_the_job_resumably(words: tuple[str, ...], tmp_path: Path) -> None:
    out = tmp_path / "outputs" / "a"
    with RayCluster(Path(mkdtemp(prefix="r", dir="/tmp"))) as cluster:
        cluster.add("a", num_cpus=1)
        where = ("cluster=ray", f"cluster.address={cluster.address}")
        job = begin("generate", *words, "name=a", *where, cwd=tmp_path)
        watched = Watched(job, out)
        try:
            watched.until(lambda: bool(watched.events("commit")))
            cluster.lose_head()
            code = job.wait(timeout=PATIENCE)
        finally:
            kill_all(job)
    messages = (tmp_path / "stderr").read_text()
    assert code == 75, messages
    assert "GCS" in messages and "run the same again to resume" in messages and "Traceback" not in messages
    (tmp_path / "nap").unlink()
    assert run_job("generate", [*words, "name=a", "cluster=inline"]) == 0
    same_as_undisturbed(words, out)


NET = """
import os
import sys

import torch
from torch import nn


class Harm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, maps):
        return maps.clone()

    @staticmethod
    def backward(ctx, grad):
        if grad[:, 5].any():
            raise ValueError("channel 5 cannot be done")
        return torch.where(grad[:, 3:4].any(2, keepdim=True).any(3, keepdim=True), float("nan"), grad)


class Harming(nn.Module):
    def forward(self, maps):
        return Harm.apply(maps)


def is_worker():
    return "atlas.engine.ray_executor" in sys.modules


def net():
    if is_worker():
        with open("processes", "a") as file:
            print(os.getpid(), file=file)
    return nn.Sequential(nn.Conv2d(3, 8, 3), Harming())


def absent():
    # the job reads it, and each of its workers fails to
    made = net()
    if is_worker():
        raise RuntimeError("this machine has no such network")
    return made
"""
MODEL = (
    "# @package models\n{name}:\n  source: custom\n  factory: harm_net:{factory}\n  weights: none\n  input_size: 32\n"
)


@pytest.mark.slow
@pytest.mark.process
def test_a_model_that_loads_nowhere_takes_no_other_along_and_bad_images_are_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A setup that fails in each worker; NaN; an error of one channel: with actors, in one job.

    The actor goes on with the next model, and is replaced once it could not load it.
    """
    (tmp_path / "harm_net.py").write_text(NET)
    (tmp_path / "model").mkdir()
    for name, factory in (("harmed", "net"), ("absent", "absent")):
        (tmp_path / "model" / f"{name}.yaml").write_text(MODEL.format(name=name, factory=factory))
    octave = "recipe.octaves=[{size: 24, steps: 3, lr: [0.1, 0.1]}]"
    asked = ("--config-dir", str(tmp_path), "model=[harmed,absent]", "layers=['1']", "recipe=quick", octave, "name=a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_job("generate", [*asked, "cluster.actors=1"]) == 3
    messages = capsys.readouterr().err
    assert "absent is given up" in messages and "this machine has no such network" in messages
    out = tmp_path / "outputs" / "a"
    reasons = {(row["model"], row["channel"]): row["error_type"] for row in rows_of(out, folder="failures")}
    assert reasons == {("harmed", 3): "NonFinite", ("harmed", 5): "ValueError"}
    made = [(row["model"], row["channel"]) for row in rows_of(out)]
    assert sorted(made) == [("harmed", channel) for channel in range(8) if channel not in (3, 5)]
    harmed, *absent = (tmp_path / "processes").read_text().split()
    assert absent[0] == harmed
    assert len(absent) == len(set(absent)) == SETUPS


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file may become longer than so many bytes: what is written beyond that is an error of the system's."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_stops_the_run_resumably_and_charges_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(Clock, "sleep", lambda self, seconds: pauses.append(seconds))
    asked = ("layers=[conv1]", "channels=0:2", "recipe.octaves=[{size: 112, steps: 2, lr: [0.1, 0.1]}]")
    with full_disk(20_000):
        stopped = run_small(tmp_path / "a", *asked)
    assert stopped.stopped is not None and "File too large" in stopped.stopped
    assert (stopped.made, stopped.failed, stopped.left) == (0, 0, 2)
    assert pauses == [1, 2, 4, 8, 16]
    assert not list(tmp_path.rglob("*.part"))
    assert run_small(tmp_path / "a", *asked).made == 2
    run_small(tmp_path / "b", *asked)
    assert image_bytes(tmp_path / "a") == image_bytes(tmp_path / "b")
