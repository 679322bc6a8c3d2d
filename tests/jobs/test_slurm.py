"""jobs/*.sbatch on real SLURM daemons: a run over two nodes that is cut off, queued again and ends whole; a run in parts."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweeps import image_bytes

from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.jobs.slurm import Slurm, slurm

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
ATLAS = Path(sys.executable).with_name("atlas")
SMALL = ("layers=[conv2,conv5]", "channels=0:8", "recipe=normalized", "cluster.shard_seconds=2")
# what two cores do not end in the seconds between a first shard and a signal
LONG = ("layers=[conv4,conv5]", "channels=0:32", "recipe=normalized", "cluster.shard_seconds=1")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with slurm(tmp_path_factory.mktemp("slurm")) as running:
        yield running


def submit(cluster: Slurm, script: str, folder: Path, *options: str, words: tuple[str, ...]) -> str:
    """The number of a job."""
    place = {"ATLAS": str(ATLAS), "ATLAS_ADDRESS": "127.0.0.1", "PYTHONPATH": str(ROOT)}
    command = ["sbatch", "--parsable", "--output=%A_%a.log", *options, str(ROOT / "jobs" / script), *words]
    return cluster.ask(*command, cwd=folder, **place)


def logs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))


def test_a_run_over_two_nodes_is_cut_off_queued_again_and_ends_whole(cluster: Slurm, tmp_path: Path) -> None:
    out = tmp_path / "a"
    job = submit(cluster, "slurm.sbatch", tmp_path, "--nodes=2", words=("generate", f"out={out}", *LONG))
    end = time.monotonic() + 150
    while not list(out.glob("index/**/*.parquet")):
        assert time.monotonic() < end and cluster.state(job) in ("PENDING", "RUNNING"), logs(tmp_path)
        time.sleep(0.3)
    # as SLURM does two minutes before the end of a job's time
    cluster.ask("scancel", "--signal=USR1", "--batch", job)
    assert cluster.wait(job, "COMPLETED", "FAILED", seconds=280) == "COMPLETED", logs(tmp_path)
    told = logs(tmp_path)
    assert "stopped by SIGUSR1" in told and "run the same again to resume" in told
    assert len(image_bytes(out)) == 64
    assert not verify(AtlasPaths(out)).problems


def test_an_array_makes_the_parts_of_one_atlas_and_the_last_the_rest(cluster: Slurm, tmp_path: Path) -> None:
    out = tmp_path / "a"
    words = ("run", f"out={out}", *SMALL, "cluster=inline")
    array = submit(cluster, "slurm_array.sbatch", tmp_path, "--array=5-6", words=words)
    for part in (f"{array}_5", f"{array}_6"):
        assert cluster.wait(part, "COMPLETED", "FAILED") == "COMPLETED", logs(tmp_path)
    assert len(image_bytes(out)) == 16
    assert (out / "neighbors").exists() and (out / "site/index.html").exists()
    assert not verify(AtlasPaths(out)).problems
