"""A node of a cluster that works with another torchvision is refused by name, and the others do the work."""

import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sweeps import rows_of

from tests.ray_cluster import STORE, RayCluster
from tests.whole_jobs import PATIENCE, begin, kill_all

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(3 * PATIENCE)]


def other_environment(folder: Path) -> Path:
    """The python of an environment that borrows all of this one's packages, but says that its torchvision is older."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    older = folder / "older"
    (older / "torchvision-0.1.0.dist-info").mkdir(parents=True)
    (older / "torchvision-0.1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.0\n"
    )
    packages = next(folder.glob("lib/python*/site-packages"))
    # before what a job tells its actors to import from
    first = f"import sys; sys.path.insert(0, {str(older)!r})"
    (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{first}\n")
    return folder / "bin" / "python"


def test_a_node_that_differs_is_refused_by_name(tmp_path: Path) -> None:
    python = other_environment(tmp_path / "other")
    with RayCluster(Path(mkdtemp(prefix="r", dir="/tmp"))) as cluster:
        start = [str(python), "-m", "ray.scripts.scripts", "start", "--block", f"--address={cluster.address}"]
        with subprocess.Popen(
            [*start, "--num-cpus=1", f"--object-store-memory={STORE}"],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as node:
            words = ("layers=[conv1]", "channels=0:8", "recipe=quick", "name=a", "cluster.device=cpu")
            job = begin("generate", *words, "cluster=ray", f"cluster.address={cluster.address}", cwd=tmp_path)
            try:
                end = time.monotonic() + 120
                while "is refused" not in (tmp_path / "stderr").read_text():
                    assert time.monotonic() < end and job.poll() is None, (tmp_path / "stderr").read_text()
                    time.sleep(0.3)
                cluster.add("good", num_cpus=1)
                assert job.wait(timeout=PATIENCE) == 0, (tmp_path / "stderr").read_text()
            finally:
                kill_all(job)
                node.kill()
    told = (tmp_path / "stderr").read_text()
    assert "is refused, since its images would be others: it has torchvision 0.1.0 (" in told
    assert "its weights are the plan's" in told, "of the other node"
    assert len(rows_of(tmp_path / "outputs" / "a")) == 8
