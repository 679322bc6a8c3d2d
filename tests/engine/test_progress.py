"""What a run tells of itself, in the unit that it counts."""

import json
from pathlib import Path

import pytest

from atlas.engine.progress import Count, Lines, StatusFile
from atlas.engine.threads import worker_threads
from atlas.store.paths import AtlasPaths


@pytest.mark.parametrize(("count", "unit"), [(Count(9, 4), "images"), (Count(9, 4, unit="pictures"), "pictures")])
def test_a_line_and_the_status_name_what_is_counted(
    count: Count, unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count.add(done=2, dead=1, failed=1)
    Lines().show(count, "m/l")
    assert capsys.readouterr().err.startswith(f"8/9 {unit}  ")
    StatusFile(AtlasPaths(tmp_path), "a").write("running", count, [])
    status = json.loads((tmp_path / "status.json").read_text())
    assert [status[key] for key in ("stage", "total", "done", "failed", "left")] == [unit, 9, 7, 1, 1]


def test_what_is_over_within_the_silence_has_no_line(capsys):
    count = Count(2, 0)
    Lines(silence=1000.0).show(count, "m")
    assert capsys.readouterr().err == ""
    Lines().show(count, "m")
    assert capsys.readouterr().err == "2/2 images    m\n"


def test_what_an_earlier_run_has_settled_says_nothing_of_the_rate():
    count = Count(10, 10, unit="steps")
    count.skip(4)
    assert (count.left, count.settled, count.rate) == (6, 0, None)


@pytest.mark.parametrize(("asked", "device", "threads"), [(None, "cpu", 1), (None, "cuda", 2), (4, "cpu", 4)])
def test_threads_are_a_workers(asked, device, threads):
    assert worker_threads(asked, device) == threads
