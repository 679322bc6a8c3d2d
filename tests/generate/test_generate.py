"""`generate` with the real network and no Ray: what is made, resumed, refused, and what survives faults."""

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sweeps import image_bytes, patternnet_card, rows_of, run_small, small_plan

from atlas.engine.publisher import Publisher
from atlas.generate.job import generate
from atlas.generate.maker import Maker
from atlas.query.atlas import Atlas
from atlas.query.verify.verify import verify
from atlas.store.files import publish
from atlas.store.image_writer import ImageWriter
from atlas.store.images import write_pixels
from atlas.store.lock import Lock, Locked
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import make_plan

pytestmark = pytest.mark.job

ASK = ("layers=[conv1,conv4]", "channels=0:3", "metric=[l1,l2]")


def test_every_image_and_row_that_was_asked_for_is_there_and_whole(tmp_path: Path) -> None:
    outcome = run_small(tmp_path / "a", *ASK)
    assert (outcome.planned, outcome.made, outcome.left, outcome.failed) == (12, 12, 0, 0)
    rows = rows_of(tmp_path / "a")
    assert len({row["task"] for row in rows}) == 12
    assert {row["image"] for row in rows} == set(image_bytes(tmp_path / "a"))
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_a_row_says_what_the_network_says_of_the_image(tmp_path: Path) -> None:
    run_small(tmp_path / "a", *ASK)
    for row in rows_of(tmp_path / "a"):
        assert row["feature"] == f"patternnet/{row['layer']}:{row['channel']}"
        assert row["score"] == pytest.approx(row["activation"][row["channel"]], rel=1e-5), "target=channel"
        assert row["score"] > row["score_start"] == row["trace"][0]
        with Image.open(tmp_path / "a" / row["image"]) as image:
            assert image.size == (row["width"], row["height"]) == (48, 48)
            assert np.asarray(image).std() > 5, "an image that shows something"


def test_a_classifiers_outputs_have_the_names_of_its_classes(tmp_path: Path) -> None:
    run_small(tmp_path / "a", "layers=[conv1,logits]", "channels=0:2")
    names = "select feature, name from features order by feature"
    with Atlas(tmp_path / "a") as atlas:
        assert [tuple(row.values()) for row in atlas.sql(names).to_pylist()] == [
            ("patternnet/conv1:0", None),
            ("patternnet/conv1:1", None),
            ("patternnet/logits:0", "stripes_0"),
            ("patternnet/logits:1", "stripes_45"),
        ]
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_an_older_atlas_has_no_names_until_the_same_is_asked_again(tmp_path: Path) -> None:
    run_small(tmp_path / "a", "layers=[logits]", "channels=0:2")
    (tmp_path / "a" / "classes.parquet").unlink()
    with Atlas(tmp_path / "a") as atlas:
        assert atlas.sql("select distinct name from features")["name"].to_pylist() == [None]
        assert run_small(tmp_path / "a", "layers=[logits]", "channels=0:2").idle
        assert atlas.sql("select name from features order by channel")["name"].to_pylist() == [
            "stripes_0",
            "stripes_45",
        ]


def test_the_same_again_does_nothing(tmp_path: Path) -> None:
    run_small(tmp_path / "a", *ASK)
    before = image_bytes(tmp_path / "a"), rows_of(tmp_path / "a")
    outcome = run_small(tmp_path / "a", *ASK)
    assert (outcome.made, outcome.left) == (0, 0)
    assert (image_bytes(tmp_path / "a"), rows_of(tmp_path / "a")) == before


def test_a_wider_sweep_makes_only_what_is_new(tmp_path: Path) -> None:
    run_small(tmp_path / "a", *ASK)
    outcome = run_small(tmp_path / "a", "layers=[conv1,conv4]", "channels=0:5", "metric=[l1,l2]")
    assert (outcome.planned, outcome.made) == (20, 8)
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_a_run_that_was_cut_off_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    run_small(tmp_path / "whole", *ASK)
    run_small(tmp_path / "cut", *ASK)
    victims = [path for n, path in enumerate(sorted((tmp_path / "cut" / "index").rglob("*.parquet"))) if n % 2]
    for path in victims:
        path.unlink()
    half = tmp_path / "cut/images/patternnet/conv1/l1/.0.png.1234.part"
    half.write_bytes(b"half")
    outcome = run_small(tmp_path / "cut", *ASK)
    assert outcome.made == 3 * len(victims)
    assert image_bytes(tmp_path / "cut") == image_bytes(tmp_path / "whole")
    assert not half.exists()


def test_another_recipe_is_another_task_and_never_overwrites_an_image(tmp_path: Path) -> None:
    run_small(tmp_path / "a", *ASK)
    before = image_bytes(tmp_path / "a")
    outcome = run_small(tmp_path / "a", *ASK, "recipe.clamp=false")
    after = image_bytes(tmp_path / "a")
    assert outcome.made == 12
    assert len(after) == 24
    assert before.items() <= after.items()
    assert any("2 variants of patternnet l1" in note for note in outcome.notes)
    with Atlas(tmp_path / "a") as atlas:
        said = atlas.sql("select count(distinct recipe) as n, count(*) as m from features").to_pylist()
    assert said == [{"n": 1, "m": 24}]
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_seeds_and_targets_have_their_own_images(tmp_path: Path) -> None:
    run_small(tmp_path / "a", "layers=[conv4]", "channels=[2]", "seeds=[0,1]")
    run_small(tmp_path / "a", "layers=[conv4]", "channels=[2]", "target=neuron", "target.row=3", "target.col=4")
    names = {Path(name).name for name in image_bytes(tmp_path / "a")}
    assert names == {"2.png", "2-s1.png", "2-neuron3x4.png"}
    assert len({bytes(b) for b in image_bytes(tmp_path / "a").values()}) == 3


def test_a_joint_target_drives_its_partner_too(tmp_path: Path) -> None:
    run_small(tmp_path / "a", "layers=[conv4]", "channels=[2]")
    run_small(tmp_path / "a", "layers=[conv4]", "channels=[2]", "target=joint", "target.with=[patternnet/conv4:9]")
    alone, joint = sorted(rows_of(tmp_path / "a"), key=lambda row: len(row["target"]))
    assert joint["activation"][9] > alone["activation"][9]
    assert joint["image"].endswith("2-joint%2Bpatternnet%2Fconv4%3A9.png")


def test_an_image_that_breaks_is_a_failure_row_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Maker._optimize

    def broken(self: Maker, shard, items):  # type: ignore[no-untyped-def]
        if any(item.channel == 1 for item in items):
            raise RuntimeError("this one never works")
        return real(self, shard, items)

    monkeypatch.setattr(Maker, "_optimize", broken)
    outcome = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:6")
    assert (outcome.made, outcome.failed, outcome.left) == (5, 1, 0)
    (failure,) = rows_of(tmp_path / "a", folder="failures")
    assert (failure["feature"], failure["error_type"]) == ("patternnet/conv1:1", "RuntimeError")
    assert "this one never works" in failure["error_message"]
    assert "\n" not in failure["error_message"]
    assert failure["traceback"].startswith("Traceback")
    monkeypatch.undo()
    assert run_small(tmp_path / "a", "layers=[conv1]", "channels=0:6").made == 0, "failures stay as they are"
    again = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:6", "retry=failed")
    assert (again.made, again.failed, again.left) == (1, 0, 0)
    assert rows_of(tmp_path / "a", folder="failures") == []
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_an_image_that_diverges_is_a_failure_row_with_the_way_out(tmp_path: Path) -> None:
    octaves = "recipe.octaves=[{size: 48, steps: 12, lr: [3e38, 3e38]}]"
    outcome = run_small(
        tmp_path / "a", "layers=[conv4]", "channels=0:2", "recipe.gradient=raw", "recipe.clamp=false", octaves
    )
    assert (outcome.made, outcome.failed) == (0, 2)
    assert {row["error_type"] for row in rows_of(tmp_path / "a", folder="failures")} == {"NonFinite"}


def test_memory_that_runs_out_halves_the_batch_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, sizes = Maker._optimize, []

    def tight(self: Maker, shard, items):  # type: ignore[no-untyped-def]
        sizes.append(len(items))
        if len(items) > 2:
            raise MemoryError("no room")
        return real(self, shard, items)

    monkeypatch.setattr(Maker, "_optimize", tight)
    outcome = run_small(tmp_path / "a", "layers=[conv1,conv2]", "channels=0:8")
    assert (outcome.made, outcome.failed) == (16, 0)
    assert sizes == [8, 4, 2, 2, 2, 2] * 2, "halved, and nothing made twice"


def test_memory_that_runs_out_between_two_images_makes_no_row_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import atlas.generate.maker

    calls: list[Path] = []

    def tight(path: Path, image: Image.Image) -> str:
        calls.append(path)
        if len(calls) == 4:
            raise MemoryError("no room")
        return write_pixels(path, image)

    monkeypatch.setattr(atlas.generate.maker, "ImageWriter", partial(ImageWriter, write=tight))
    outcome = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:6")
    assert (outcome.made, outcome.failed) == (6, 0)
    assert [row["channel"] for row in rows_of(tmp_path / "a")] == list(range(6))


def test_the_same_weights_under_two_names_are_two_models(tmp_path: Path) -> None:
    from dataclasses import replace

    config, plan = small_plan(tmp_path / "a", "layers=[conv1]", "channels=0:2")
    config.models["twin"] = config.models["patternnet"]
    both = make_plan(config, {**plan.cards, "twin": replace(patternnet_card(), name="twin")})
    assert generate(config, both, []).made == 4
    assert sorted(row["feature"] for row in rows_of(tmp_path / "a")) == [
        f"{model}/conv1:{n}" for model in ("patternnet", "twin") for n in range(2)
    ]
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_images_that_were_lost_or_changed_are_made_again_on_request(tmp_path: Path) -> None:
    run_small(tmp_path / "a", "layers=[conv1]", "channels=0:4")
    before = image_bytes(tmp_path / "a")
    images = sorted((tmp_path / "a" / "images").rglob("*.png"))
    images[0].unlink()
    images[1].write_bytes(b"changed")
    outcome = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:4", "retry=broken")
    assert outcome.made == 2
    assert image_bytes(tmp_path / "a") == before
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


@pytest.mark.parametrize("name", ["bfloat16", "tf32"])
def test_a_precision_is_the_networks_and_not_the_images(name: str, tmp_path: Path) -> None:
    run_small(tmp_path / "exact", "layers=[conv4]", "channels=0:2")
    run_small(tmp_path / "a", "layers=[conv4]", "channels=0:2", f"recipe.precision={name}")
    exact, rough = rows_of(tmp_path / "exact"), rows_of(tmp_path / "a")
    assert {row["precision"] for row in rough} == {name}
    for one, other in zip(exact, rough, strict=True):
        assert other["score"] == pytest.approx(one["score"], rel=0.2)
        assert other["loss"] == pytest.approx(one["loss"], rel=0.01), "C - z is taken in float32"


def test_a_full_disk_stops_the_run_resumably_and_charges_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import atlas.engine.clock
    import atlas.generate.maker

    def full(path: Path, image: Image.Image) -> str:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(atlas.generate.maker, "ImageWriter", partial(ImageWriter, write=full))
    monkeypatch.setattr(atlas.engine.clock.time, "sleep", lambda seconds: None)
    outcome = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:4")
    assert outcome.stopped is not None
    assert "No space left" in outcome.stopped
    assert (outcome.made, outcome.failed, outcome.left) == (0, 0, 4)
    monkeypatch.undo()
    assert run_small(tmp_path / "a", "layers=[conv1]", "channels=0:4").made == 4


def test_a_second_driver_is_refused(tmp_path: Path) -> None:
    config, plan = small_plan(tmp_path / "a", *ASK)
    with Lock(tmp_path / "a" / "lock"), pytest.raises(Locked, match=f"process {os.getpid()}"):
        generate(config, plan, [])


def test_the_manifest_and_the_config_say_what_was_asked(tmp_path: Path) -> None:
    run_small(tmp_path / "a", *ASK)
    manifest = json.loads((tmp_path / "a" / "atlas.json").read_text())
    assert manifest["asked"][0]["tasks"] == 12
    assert manifest["asked"][0]["layers"] == ["conv1", "conv4"]
    assert manifest["versions"]["torch"]
    assert len(list((tmp_path / "a" / "config").glob("*/overrides.yaml"))) == 1
    assert len(list((tmp_path / "a" / "config").glob("*/config.yaml"))) == 1


def test_a_commit_that_broke_off_half_way_is_finished_when_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures are published, the rows are not, for a moment: nothing is lost and nothing stands twice."""
    import atlas.engine.clock
    import atlas.generate.job

    real, calls = Maker._optimize, []

    def half(self: Maker, shard, items):  # type: ignore[no-untyped-def]
        made = real(self, shard, items)
        made.status[1] = "nonfinite"
        return made

    def flaky(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        publish(source, target)

    monkeypatch.setattr(Maker, "_optimize", half)
    monkeypatch.setattr(atlas.generate.job, "Publisher", partial(Publisher, publish=flaky))
    monkeypatch.setattr(atlas.engine.clock.time, "sleep", lambda seconds: None)
    outcome = run_small(tmp_path / "a", "layers=[conv1]", "channels=0:4")
    assert (outcome.stopped, outcome.made, outcome.failed, outcome.left) == (None, 3, 1, 0)
    assert len(rows_of(tmp_path / "a")) == 3
    assert len(rows_of(tmp_path / "a", folder="failures")) == 1
