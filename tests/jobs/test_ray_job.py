"""docs/cluster.md's `ray job submit` on a real head: a job that is watched, stopped, submitted again; one that fails."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sweeps import image_bytes

from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from tests.jobs.ray_head import RayHead, ray_head
from tests.napping import napping

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
(RECIPE,) = re.findall(r"^    (ray job submit (?:.*\\\n)*.*)$", (ROOT / "docs/cluster.md").read_text(), re.MULTILINE)
IMAGES = 256


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    folder = Path(mkdtemp(prefix="r", dir="/tmp"))
    with ray_head(folder, cpus=2) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def until(happens: Callable[[], bool], head: RayHead, job: str) -> None:
    """Wait for something to happen while a job runs."""
    end = time.monotonic() + 150
    while not happens():
        logs = head.ask("job", "logs", "--address", head.dashboard, job).stdout if time.monotonic() > end else ""
        assert time.monotonic() < end, logs
        time.sleep(0.5)


def of_the_dashboard() -> tuple[set[str], set[str]]:
    """The gauges that jobs/grafana.json asks for, and the labels that it asks them by."""
    panels = json.loads((ROOT / "jobs/grafana.json").read_text())["panels"]
    questions = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    labels = {label for labels in re.findall(r"by \(([\w, ]+)\)", questions) for label in labels.split(", ")}
    return set(re.findall(r"ray_atlas_\w+", questions)), labels


def test_a_job_is_watched_stopped_and_submitted_again_until_it_is_whole(head: RayHead, tmp_path: Path) -> None:
    """What is under way when it is stopped is finished, since the recipe has Ray wait for it."""
    out = tmp_path / "a"
    words = (*napping(tmp_path), "channels=0:64", "metric=[l1,l2,linf,mean]", f"out={out}")
    first = head.submit(RECIPE, *words, path=tmp_path, options=("--submission-id=first", "--no-wait"))
    assert first.returncode == 0, first.stdout
    until(lambda: any(out.glob("index/**/*.parquet")), head, "first")
    asked, labels = of_the_dashboard()
    until(lambda: {name for name, _, _ in head.gauges()} == asked, head, "first")
    until(lambda: {name: value for name, _, value in head.gauges()}["ray_atlas_done"] > 0, head, "first")
    gauges = head.gauges()
    assert all(labels <= set(of) and (of["atlas"], of["stage"]) == ("a", "images") for _, of, _ in gauges), gauges
    values = {name.removeprefix("ray_atlas_"): value for name, _, value in gauges}
    assert values["done"] + values["left"] == IMAGES and values["failed"] == 0 and values["actors"] == 2, values
    assert head.ask("job", "stop", "--address", head.dashboard, "first").returncode == 0
    assert head.state("first") == "STOPPED"
    status = json.loads((out / "status.json").read_text())
    assert status["state"] == "interrupted" and not (out / "lock").exists(), status
    assert verify(AtlasPaths(out)).exit_code in (0, 3)
    (tmp_path / "nap").unlink()
    again = head.submit(RECIPE, *words, path=tmp_path)
    assert again.returncode == 0 and "256 images" in again.stdout, again.stdout
    assert "took over the lock" not in again.stdout
    assert len(image_bytes(out)) == IMAGES
    assert verify(AtlasPaths(out)).exit_code == 0


def test_a_job_that_is_refused_has_failed_and_says_with_which_code(head: RayHead, tmp_path: Path) -> None:
    refused = head.submit(RECIPE, "layers=[nowhere]", f"out={tmp_path / 'a'}", path=tmp_path)
    assert refused.returncode == 1
    assert "layers=nowhere" in refused.stdout and "failed with exit code 2" in refused.stdout, refused.stdout
    assert not (tmp_path / "a").exists()
