"""`trace=full`: what every channel of a layer did while one was driven, beside the atlas and never instead of it."""

from pathlib import Path
from typing import Any

import pytest
from sweeps import image_bytes, rows_of, run_small

from atlas.generate.job import ImagesOutcome
from atlas.generate.maker import Maker
from atlas.query.verify.verify import verify
from atlas.store.index import INDEX, TRACES, files_under, read_table
from atlas.store.paths import AtlasPaths

pytestmark = pytest.mark.job

ASK = (
    "layers=[conv1,conv2]",
    "channels=0:3",
    "recipe.octaves=[{size: 32, steps: 8, lr: [0.1, 0.05], sigma: [1.5, 0.4]}, {size: 34, steps: 13}]",
)
FULL = "trace=full"


def run(out: Path, *overrides: str) -> ImagesOutcome:
    return run_small(out, *ASK, *overrides)


def traced(out: Path) -> list[dict[str, Any]]:
    return rows_of(out, folder="traces")


def files(out: Path, folder: str) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, and when it was written."""
    found = [path for path in sorted((out / folder).rglob("*")) if path.is_file()]
    return {path.relative_to(out).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def assert_whole(out: Path, images: int = 6) -> None:
    """Each moment of each image once."""
    moments = [(row["task"], row["step"]) for row in traced(out)]
    assert len(moments) == len(set(moments)) == 3 * images
    assert {task for task, _ in moments} == {row["task"] for row in rows_of(out)}
    report = verify(AtlasPaths(out))
    assert (report.exit_code, report.problems) == (0, [])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "a"
    assert run(out, FULL).made == 6
    return out


def test_every_image_has_its_moments_and_every_moment_all_channels(full: Path) -> None:
    assert_whole(full)
    for path in files_under(full / "traces"):
        assert read_table(path, TRACES.names).schema.equals(TRACES)
    by_task = {row["task"]: row for row in rows_of(full)}
    widths = {"conv1": 32, "conv2": 32}
    for row in traced(full):
        whole = by_task[row["task"]]
        assert all(row[key] == whole[key] for key in ("feature", "model", "layer", "channel", "metric"))
        assert len(row["activation"]) == widths[row["layer"]] == len(whole["activation"])
    for task in by_task:
        steps = [row["step"] for row in traced(full) if row["task"] == task]
        assert steps == [0, 10, 20], "of 21 steps in two octaves"


def test_the_driven_channels_trace_is_that_of_the_index(full: Path) -> None:
    for whole in rows_of(full):
        own = [row["activation"][whole["channel"]] for row in traced(full) if row["task"] == whole["task"]]
        assert own == pytest.approx(whole["trace"], rel=1e-5), "target=channel: its score is its mean"


def test_the_index_and_the_images_are_as_without(full: Path, tmp_path: Path) -> None:
    run(tmp_path / "plain")
    assert image_bytes(tmp_path / "plain") == image_bytes(full)
    assert not (tmp_path / "plain" / "traces").exists()
    for path in files_under(full / "index"):
        assert read_table(path, INDEX.names).schema.equals(INDEX)
    told = ("task", "score", "loss", "trace", "activation", "image_sha256", "steps")
    rows = [[row[key] for key in told] for row in rows_of(full)]
    assert rows == [[row[key] for key in told] for row in rows_of(tmp_path / "plain")]


def test_asked_for_later_only_the_traces_are_made_and_then_nothing(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(out)
    before = files(out, "index") | files(out, "images")
    outcome = run(out, FULL)
    assert (outcome.made, outcome.failed, outcome.left) == (6, 0, 0)
    assert files(out, "index") | files(out, "images") == before, "not even written again"
    assert_whole(out)
    assert traced(out) == traced(full)
    made = files(out, "traces")
    again = run(out, FULL)
    assert (again.made, again.idle) == (0, True)
    assert run(out).idle
    assert files(out, "traces") == made
    assert files(out, "index") | files(out, "images") == before


def test_of_a_wider_sweep_each_image_is_made_or_only_traced(tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(out, "channels=[1]")
    first = files(out, "images")
    outcome = run(out, FULL)
    assert (outcome.made, outcome.left) == (6, 0), "four images, and the moments of two that are there"
    assert first.items() <= files(out, "images").items()
    assert_whole(out)


def test_what_a_killed_run_did_not_leave_is_made_again(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(out, FULL)
    before = files(out, "index") | files(out, "images")
    (victim, *_) = files_under(out / "traces")
    victim.unlink()
    assert run(out, FULL).made == 3
    assert files(out, "index") | files(out, "images") == before
    assert traced(out) == traced(full)
    (unlisted, *_) = files_under(out / "index")  # killed after the moments and before the rows were published
    unlisted.unlink()
    assert run(out, FULL).made == 3
    assert_whole(out)


def test_an_image_made_again_has_its_moments_once(tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(out, FULL)
    sorted((out / "images").rglob("*.png"))[1].unlink()
    assert run(out, FULL, "retry=broken").made == 1
    assert_whole(out)
    sorted((out / "images").rglob("*.png"))[2].unlink()
    assert run(out, "retry=broken").made == 1, "without trace=full the moments stay: the image is the same"
    assert_whole(out)


def test_a_trace_that_fails_harms_no_image_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a"
    run(out, "layers=[conv1]")
    before = files(out, "index") | files(out, "images")
    real = Maker._optimize

    def broken(self: Maker, shard, items):  # type: ignore[no-untyped-def]
        if any(item.channel == 1 for item in items):
            raise RuntimeError("this one never works")
        return real(self, shard, items)

    monkeypatch.setattr(Maker, "_optimize", broken)
    outcome = run(out, FULL, "layers=[conv1]")
    assert files(out, "index") | files(out, "images") == before
    assert rows_of(out, folder="failures") == [], "its image is there"
    assert verify(AtlasPaths(out)).exit_code == 0
    assert outcome.failed == 0
    monkeypatch.undo()
    assert run(out, FULL, "layers=[conv1]").made == 1
    assert_whole(out, 3)


def test_other_targets_are_traced_whole_too(tmp_path: Path) -> None:
    out = tmp_path / "a"
    run(out, FULL, "layers=[conv2]", "target=neuron", "target.row=[0,3]", "target.col=[2]", "channels=[1]")
    assert_whole(out, 2)
    for whole in rows_of(out):
        own = [row["activation"][1] for row in traced(out) if row["task"] == whole["task"]]
        assert own != pytest.approx(whole["trace"], rel=1e-3), "all of the channel, and not the neuron alone"
