"""What a run tells of itself, in the unit that it counts."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from atlas.engine import progress, pulse
from atlas.engine.progress import Count, Lines, StatusFile
from atlas.engine.pulse import Pulse, listening, read_pulse
from atlas.engine.threads import worker_threads
from atlas.store.paths import AtlasPaths


@pytest.mark.parametrize(("count", "unit"), [(Count(9, 4), "images"), (Count(9, 4, unit="pictures"), "pictures")])
def test_a_line_and_the_status_name_what_is_counted(
    count: Count, unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count.add(done=2, dead=1, failed=1)
    Lines().show(count, "m/l")
    moment, _, line = capsys.readouterr().err.partition("  ")
    assert datetime.fromisoformat(moment) <= datetime.now()
    assert line.startswith(f"8/9 {unit}  89%  ")
    StatusFile(AtlasPaths(tmp_path), "a").write("running", count, [])
    status = json.loads((tmp_path / "status.json").read_text())
    assert [status[key] for key in ("stage", "total", "done", "failed", "left")] == [unit, 9, 7, 1, 1]


def test_what_is_over_within_the_silence_has_no_line(capsys):
    count = Count(2, 0)
    Lines(silence=1000.0).show(count, "m")
    assert capsys.readouterr().err == ""
    Lines().show(count, "m")
    assert capsys.readouterr().err.partition("  ")[2] == "2/2 images  100%  m\n"


def test_what_an_earlier_run_has_settled_says_nothing_of_the_rate():
    count = Count(10, 10, unit="steps")
    count.skip(4)
    assert (count.left, count.settled, count.rate) == (6, 0, None)


def test_the_time_left_is_the_plans_until_something_is_under_way(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    count = Count(8, 8, expected=60.0)
    assert count.eta == 60.0
    now[0] += 10
    assert count.eta == 50.0
    count.under_way = 2.0
    assert (count.eta, count.share) == (30.0, 0.25)
    count.under_way = 0.0
    count.add(done=4)
    assert count.eta == 10.0


def test_a_shard_tells_how_far_it_is(tmp_path, monkeypatch):
    now, heard = [0.0], []
    monkeypatch.setattr(pulse, "monotonic", lambda: now[0])
    shard = Pulse(tmp_path / "s.pulse", total=40)
    with listening(lambda: heard.append(read_pulse(tmp_path / "s.pulse"))):
        for _ in range(12):
            shard.beat(4)
            now[0] += 0.3
    assert heard == [0.5, 0.9]
    assert read_pulse(tmp_path / "none.pulse") == 0.0


@pytest.mark.parametrize(("asked", "device", "threads"), [(None, "cpu", 1), (None, "cuda", 2), (4, "cpu", 4)])
def test_threads_are_a_workers(asked, device, threads):
    assert worker_threads(asked, device) == threads
