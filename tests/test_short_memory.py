"""A machine that runs out of memory, for real: Ray ends the worker, which does less at once, or works somewhere else."""

import os
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest
from sweeps import rows_of

from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.ray_cluster import RayCluster
from tests.whole_jobs import PATIENCE, Watched, begin, kill_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * PATIENCE), pytest.mark.usefixtures("cards_made_here")]

GREEDY = """
import os
import time

import torch
from torch import nn


def takes_all(images):
    if not os.path.exists("{once}"):
        return images > 1
    time.sleep(0.3 * os.path.exists("{nap}"))
    try:
        os.close(os.open("{once}-done", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Greed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, maps):
        return maps.clone()

    @staticmethod
    def backward(ctx, grad):
        if takes_all(len(grad)):
            taken = torch.ones({floats})
            time.sleep(10)
        return grad


class Greedy(nn.Module):
    def forward(self, maps):
        return Greed.apply(maps)


def net():
    return nn.Sequential(nn.Conv2d(3, 64, 3), Greedy())
"""


@pytest.fixture
def greedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A job of a network that takes 6 GB for two images at once, where Ray's own limit leaves 4 to spare.

    With a file `once` that has happened once and for all; with a file `nap` it is slow, too.
    """
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + (4 << 30)) / memory.total
    (tmp_path / "greedy_net.py").write_text(GREEDY.format(floats=6 << 28, once=tmp_path / "once", nap=tmp_path / "nap"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{threshold:.4f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    octave = "recipe.octaves=[{size: 24, steps: 2, lr: [0.1, 0.1]}]"
    model = ("model=custom", "model.factory=greedy_net:net", "model.weights=none", "model.input_size=32")
    return (*model, "layers=['1']", "recipe=quick", octave, "cluster.batch=2", "name=a")


def test_a_machine_short_of_memory_does_half_as_much_at_once_and_loses_nothing(
    greedy: tuple[str, ...], tmp_path: Path
) -> None:
    job = begin("generate", *greedy, "channels=0:8", "cluster.actors=1", cwd=tmp_path)
    try:
        code = job.wait(timeout=PATIENCE)
    finally:
        kill_all(job)
    out = tmp_path / "outputs" / "a"
    assert code == 0, (tmp_path / "stderr").read_text()
    assert Watched(job, out).told(0, "Starved")
    assert len(rows_of(out)) == 8
    assert verify(AtlasPaths(out)).exit_code == 0


def test_an_actor_fewer_where_memory_is_short_works_on_a_machine_that_comes_later(
    greedy: tuple[str, ...], tmp_path: Path
) -> None:
    """It waits for that machine, as an autoscaler sees, and not on the first, whose processor is free."""
    (tmp_path / "once").touch(), (tmp_path / "nap").touch()
    with RayCluster(Path(mkdtemp(prefix="r", dir="/tmp"))) as cluster:
        cluster.add("a", num_cpus=2)
        where = ("cluster=ray", f"cluster.address={cluster.address}", "cluster.actors=2", "cluster.shard_seconds=2")
        job = begin("generate", *greedy, "channels=0:64", "metric=[l1,l2]", *where, cwd=tmp_path)
        watched = Watched(job, tmp_path / "outputs" / "a")
        try:
            watched.until(lambda: watched.told(0, "Starved") or watched.told(1, "Starved"))
            watched.until(lambda: len(watched.workers()) == 1)
            cluster.add("b", num_cpus=1)
            watched.until(lambda: len(raylets(watched.pids())) == 2)
            (tmp_path / "nap").unlink()
            code = job.wait(timeout=PATIENCE)
        finally:
            kill_all(job)
    assert code == 0, (tmp_path / "stderr").read_text()
    assert len(rows_of(watched.out)) == 128
    assert verify(AtlasPaths(watched.out)).exit_code == 0


def raylets(pids: list[int]) -> set[int]:
    """The processes of the nodes on which these actors live."""
    return {psutil.Process(pid).ppid() for pid in pids if psutil.pid_exists(pid)}
