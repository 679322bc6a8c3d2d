"""Parts of a job as an array starts them: at once, in processes of their own, one of them killed."""

import random
import time
from pathlib import Path

import pytest
from object_store import images_under, new_place
from sweeps import SMALL, image_bytes, run_small
from whole_jobs import atlas, begin, kill_all

from atlas.query.verify.verify import verify
from atlas.store.bucket_path import MARK
from atlas.store.paths import AtlasPaths

PARTS = 3
ASK = ("layers=[conv1,conv2,conv4]", "channels=0:16", "cluster.shard_seconds=0.02")


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("where", ["folder", "store"])
def test_parts_at_once_one_of_them_killed_come_to_one_atlas(tmp_path: Path, where: str) -> None:
    out = new_place() if where == "store" else str(tmp_path / "a")
    run_small(tmp_path / "undisturbed", *ASK)
    words = ["run", f"out={out}", *SMALL, *ASK, "similarity.measures=[sym]"]
    jobs = []
    for number in range(1, PARTS + 1):
        (folder := tmp_path / str(number)).mkdir()
        jobs.append(begin(*words, f"cluster.part={number}/{PARTS}", cwd=folder))
    victim = random.randrange(PARTS)
    time.sleep(4 + 6 * random.random())
    killed = jobs[victim].poll() is None
    if killed:
        kill_all(jobs[victim])
    codes = [job.wait(120) for job in jobs]
    assert [code for number, code in enumerate(codes) if number != victim] == [0] * (PARTS - 1)
    assert verify(AtlasPaths(out)).exit_code in (0, 3)
    again = atlas(*words, f"cluster.part={victim + 1}/{PARTS}", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (images_under(out) if MARK in out else image_bytes(Path(out))) == image_bytes(tmp_path / "undisturbed")
    assert verify(AtlasPaths(out)).whole
    assert AtlasPaths(out).similarity.is_file() and AtlasPaths(out).site_page.is_file(), "the last part went on"
