"""What `atlas status` knows: counts from the files alone, and `running` only of a driver that lives."""

import json
import os

import pytest
from made_atlas import WHOLE, make_atlas, write_status

from atlas.cli.summary import print_summary
from atlas.query.atlas import Atlas
from atlas.query.state import count, read_state
from atlas.store.lock import Lock

pytestmark = pytest.mark.job


@pytest.fixture
def atlas(tmp_path):
    with Atlas(make_atlas(tmp_path / "half").root) as opened:
        yield opened


def test_counts_add_up_layer_by_layer(atlas):
    rows = count(atlas).to_pylist()
    assert [(row["model"], row["layer"]) for row in rows] == [
        ("alpha", "conv1"),
        ("alpha", "conv2"),
        ("beta net", "block/0"),
    ]
    assert [row["planned"] for row in rows] == [16, 24, 40]
    assert all(row["planned"] == row["done"] + row["failed"] + row["left"] for row in rows)
    assert read_state(atlas)["total"] == {"planned": 80, "done": 70, "ok": 68, "dead": 2, "failed": 2, "left": 8}


def test_a_live_driver_is_running(atlas):
    with Lock(atlas.paths.lock):
        assert read_state(atlas)["message"] == "no progress told yet"
        write_status(atlas.paths, "running")
        state = read_state(atlas)
    assert (state["state"], state["pid"], state["rate"], state["eta_seconds"]) == ("running", os.getpid(), 3.5, 75.0)
    assert (state["stage"], state["message"]) == ("images", None)
    assert state["workers"][0]["doing"] == "beta net/block/0 l2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"total": 1464, "left": 344}, "pictures: 1,120 of 1,464"),
        ({"total": "many"}, "pictures"),
        ({"total": 464, "left": 344, "message": "nearly there"}, "nearly there"),
    ],
)
def test_a_driver_at_another_stage_tells_of_it_and_not_of_images(atlas, changes, message):
    with Lock(atlas.paths.lock):
        write_status(atlas.paths, "running", stage="pictures", **changes)
        state = read_state(atlas)
    assert (state["state"], state["stage"], state["message"]) == ("running", "pictures", message)
    assert state["rate"] is state["eta_seconds"] is None
    assert state["workers"], "who does it is told all the same"
    assert state["total"]["planned"] == 80, "the counts are of images"


def test_a_stage_that_nobody_is_at_hides_nothing(atlas):
    write_status(atlas.paths, "interrupted", stage="pictures")
    state = read_state(atlas)
    assert (state["state"], state["message"]) == ("interrupted", "rerun to resume")


def test_a_killed_driver_is_not_running(atlas):
    write_status(atlas.paths, "running", pid=999_999_999)
    with Lock(atlas.paths.lock):
        owner = json.loads(atlas.paths.lock.read_text())
    atlas.paths.lock.write_text(json.dumps({**owner, "pid": 999_999_999}))
    state = read_state(atlas)
    assert state["state"] == "interrupted"
    assert state["message"] == f"process 999999999 on {owner['host']} is gone; rerun to resume"
    assert state["rate"] is None
    assert state["workers"] == []


@pytest.mark.parametrize(
    ("status", "state"), [("running", "interrupted"), ("stopped", "stopped"), ("interrupted",) * 2]
)
def test_without_a_lock_nobody_is_at_work(atlas, status, state):
    write_status(atlas.paths, status)
    assert read_state(atlas)["state"] == state
    assert read_state(atlas)["eta_seconds"] is None


def test_a_status_that_cannot_be_read_hides_nothing(atlas):
    atlas.paths.status.write_text('{"state": "runn')
    assert read_state(atlas)["total"]["left"] == 8


def test_nothing_left_is_done_whatever_was_said_last(tmp_path):
    with Atlas(make_atlas(tmp_path / "full", WHOLE).root) as atlas:
        write_status(atlas.paths, "interrupted")
        assert read_state(atlas)["state"] == "done"


WRONG = [{"a": 1}, "text", 5, ["x"], float("nan"), None, True]


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_a_status_of_wrong_types_is_no_status(tmp_path, value, capsys):
    """With a driver at work, whose words would be believed."""
    paths = make_atlas(tmp_path / "a")
    with Lock(paths.lock), Atlas(paths.root) as atlas:
        write_status(paths, "running")
        keys = json.loads(paths.status.read_text())
        for changes in [
            dict.fromkeys(keys, value),
            *({key: value} for key in ("workers", "rate", "eta_seconds", "pid")),
        ]:
            paths.status.write_text(json.dumps(keys | changes))
            state = read_state(atlas)
            assert state["state"] == "running"
            print_summary(state)
        for text in ("[" * 100_000, "\0", "[]"):
            paths.status.write_text(text)
            print_summary(read_state(atlas))
    assert "72 of 80 images" in capsys.readouterr().out
