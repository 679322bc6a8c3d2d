"""`cluster.part=i/n`: jobs that know nothing of one another make one atlas, whichever of them live, die or come late."""

import json
import os
import socket
from pathlib import Path

import pytest
from sweeps import SMALL, image_bytes, rows_of, run_small, small_plan, sweep

from atlas.cli.which_atlas import with_atlas
from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.query.atlas import Atlas
from atlas.query.state import read_state
from atlas.query.verify.verify import verify
from atlas.records import Part
from atlas.store.lock import Lock, Locked
from atlas.store.paths import AtlasPaths

pytestmark = pytest.mark.job
ASK = ("layers=[conv1,conv4]", "channels=0:3", "metric=[l1,l2]")
N = 3


def part(number: int, count: int = N) -> str:
    return f"cluster.part={number}/{count}"


def holder(plan: str, number: int = 1, count: int = N) -> dict[str, str]:
    """What the lock of a part says; this process stands for another, which lives."""
    return {"part": f"{number}/{count}", "plan": plan}


def test_the_parts_of_a_plan_are_disjoint_and_come_to_all_of_it(tmp_path: Path) -> None:
    _, plan = small_plan(tmp_path / "a", *ASK)
    parts = [plan.only(Part(number, N)) for number in range(1, N + 1)]
    assert sorted(shard.id for own in parts for shard in own.shards) == sorted(shard.id for shard in plan.shards)
    # what else is asked for moves no work from one part to another
    _, smaller = small_plan(tmp_path / "a", *ASK[:2], "metric=l2")
    assert {s.id for s in smaller.only(Part(1, N)).shards} <= {s.id for s in parts[0].shards}


def test_parts_in_any_order_come_to_the_same_images_as_one_job_and_a_lost_one_is_made_alone(tmp_path: Path) -> None:
    run_small(tmp_path / "whole", *ASK)
    third = run_small(tmp_path / "a", *ASK, part(3))
    first = run_small(tmp_path / "a", *ASK, part(1))
    assert not first.last and first.elsewhere == 12 - first.planned - third.planned
    report = verify(AtlasPaths(tmp_path / "a"))
    assert (report.exit_code, report.planned, report.left) == (3, 12, first.elsewhere), "the lost part is left to do"
    second = run_small(tmp_path / "a", *ASK, part(2))
    assert second.last and second.elsewhere == 0
    assert first.made + second.made + third.made == 12
    assert image_bytes(tmp_path / "a") == image_bytes(tmp_path / "whole")
    assert len({row["task"] for row in rows_of(tmp_path / "a")}) == 12
    assert verify(AtlasPaths(tmp_path / "a")).whole
    # whoever comes again finds all done, and the job without parts has nothing to do and forgets them
    again = run_small(tmp_path / "a", *ASK, part(1))
    assert again.idle and again.last
    assert run_small(tmp_path / "a", *ASK).idle
    assert not AtlasPaths(tmp_path / "a").parts()


def test_a_part_leaves_alone_what_others_have_under_way(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path / "a")
    _, plan = small_plan(tmp_path / "a", *ASK)
    run_small(tmp_path / "a", *ASK, part(2))
    theirs = paths.staging / f"{'0' * 20}-{'0' * 8}" / "row"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("")
    events = paths.events_of(Part(2, N)).read_text()
    with Lock(paths.lock_of(Part(1, N)), holder(plan.id)):
        outcome = run_small(tmp_path / "a", *ASK, part(3))
        assert theirs.exists() and not outcome.last
        assert paths.events_of(Part(2, N)).read_text() == events
        with pytest.raises(Locked, match=r"part 1/3\); wait for all parts"):
            run_small(tmp_path / "a", *ASK)
        with pytest.raises(Locked, match="wait for it"):
            run_small(tmp_path / "a", *ASK, part(1))
    run_small(tmp_path / "a", *ASK, part(1))
    assert not theirs.exists(), "nobody else is at work"
    assert verify(paths).whole


@pytest.mark.parametrize("theirs", [holder("other plan", 1, 3), holder("", 1, 4)])
def test_parts_of_another_plan_are_refused_while_one_is_at_work(tmp_path: Path, theirs: dict[str, str]) -> None:
    _, plan = small_plan(tmp_path / "a", *ASK)
    paths = AtlasPaths(tmp_path / "a")
    other = Part.parse(theirs["part"])
    with (
        Lock(paths.lock_of(other), {"plan": plan.id, **theirs} if theirs["plan"] else {**theirs, "plan": plan.id}),
        pytest.raises(Locked, match=rf"part {other}\), which is not a part of the same: all of 3 parts"),
    ):
        run_small(tmp_path / "a", *ASK, part(2))
    assert not paths.lock.exists() and not paths.lock_of(Part(2, 3)).exists()


def test_status_tells_of_every_part(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path / "a")
    _, plan = small_plan(tmp_path / "a", *ASK)
    made = run_small(tmp_path / "a", *ASK, part(2)).made
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": "1", "token": "gone"}
    paths.lock_of(Part(3, N)).write_text(json.dumps(owner | holder(plan.id, 3)))
    paths.status_of(Part(3, N)).write_text(json.dumps({"state": "running", "total": 4, "done": 1, "left": 3}))
    with Lock(paths.lock_of(Part(1, N)), holder(plan.id)), Atlas(tmp_path / "a") as atlas:
        state = read_state(atlas)
    assert state["state"] == "running"
    assert [(row["part"], row["state"], row["done"]) for row in state["parts"]] == [
        ("1/3", "running", None),
        ("2/3", "done", made),
        ("3/3", "interrupted", 1),
    ]


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "x", "1", "1/0", "-1/4", "1/4/2"])
def test_what_is_no_part_is_refused(wrong: str) -> None:
    (mistake,) = value_mistakes(sweep(*SMALL, f"cluster.part={wrong}"))
    assert mistake == f"cluster.part={wrong}: write i/n with i from 1 to n, as 1/4 for the first of four parts"


def test_what_looks_at_a_whole_atlas_takes_no_part(tmp_path: Path) -> None:
    (mistake,) = value_mistakes(sweep(*SMALL, "cluster.part=1/2", "retry=broken"))
    assert mistake == "cluster.part=1/2: retry=broken looks at all of an atlas; run it without a part"
    with pytest.raises(ConfigError, match="only generate and run can be divided"):
        with_atlas(sweep(*SMALL, "cluster.part=1/2", out=tmp_path), ["out=a"], [])
