"""A job on a cluster whose nodes come and go: a head without resources, a late node, one that drains, one that dies."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sweeps import image_bytes, rows_of

from atlas.cli.job import run_job
from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.napping import napping
from tests.ray_cluster import RayCluster
from tests.whole_jobs import PATIENCE, Watched, begin, kill_all

pytestmark = [pytest.mark.process, pytest.mark.timeout(3 * PATIENCE), pytest.mark.usefixtures("cards_made_here")]

IMAGES = 128


@pytest.fixture(scope="module")
def head() -> Iterator[RayCluster]:
    with RayCluster(Path(mkdtemp(prefix="r", dir="/tmp"))) as cluster:
        yield cluster


@pytest.fixture
def cluster(head: RayCluster) -> Iterator[RayCluster]:
    """A head alone, whatever nodes the test before has added."""
    yield head
    head.clear()


@pytest.mark.slow
def test_a_cluster_without_room_is_refused_or_waited_for_as_it_was_asked(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resources that do not exist: there is but a head with none."""
    monkeypatch.chdir(tmp_path)
    words = [
        "layers=[conv1]",
        "channels=0:2",
        "recipe=quick",
        "name=a",
        "cluster=ray",
        f"cluster.address={cluster.address}",
    ]
    assert run_job("generate", words) == 2
    assert "cluster.device=auto: no node of the cluster" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
    assert run_job("generate", [*words, "cluster.device=cpu", "cluster.start_timeout=15"]) == 75
    assert "no actor has become ready for 15 s: asked for 1 actors of 1 CPU" in capsys.readouterr().err


@pytest.mark.slow
def test_nodes_that_come_late_drain_or_die_change_no_byte_and_are_nobodys_fault(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*napping(tmp_path), "channels=0:32", "metric=[l1,l2,linf,mean]")
    where = ("cluster=ray", f"cluster.address={cluster.address}", "cluster.device=cpu")
    job_words = ("generate", *words, "name=a", *where)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    out, job = tmp_path / "outputs" / "a", begin(*job_words, cwd=tmp_path, PYTHONPATH=path)
    watched = Watched(job, out)
    with ExitStack() as stack:
        stack.callback(kill_all, job)
        # from zero: an actor waits, as an autoscaler would see
        watched.until(lambda: watched.status().get("state") == "running")
        cluster.add("a", num_cpus=1)
        watched.until(lambda: watched.works(0))
        cluster.add("b", num_cpus=1)
        watched.until(lambda: watched.works(1))
        cluster.drain("a")
        watched.until(lambda: watched.told(0, "Draining"))
        cluster.add("c", num_cpus=1)
        watched.until(lambda: watched.works(2))
        cluster.stop("a")
        cluster.kill("b")
        watched.until(lambda: watched.told(1, "Died", "Lost", "Left"))
        (tmp_path / "nap").unlink()
        code = job.wait(timeout=PATIENCE)
    messages = (tmp_path / "stderr").read_text()
    assert code == 0, messages
    assert rows_of(out, folder="failures") == []
    rows = rows_of(out)
    assert len(rows) == len({row["task"] for row in rows}) == IMAGES
    assert verify(AtlasPaths(out)).exit_code == 0
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_job("generate", [*words, "name=undisturbed", "cluster=inline"]) == 0
    assert image_bytes(out) == image_bytes(tmp_path / "outputs" / "undisturbed")
