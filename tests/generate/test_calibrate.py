"""`dry_run=calibrate` measures the real work, and reckons whole recipes and other layers from it."""

from pathlib import Path

import pytest
from sweeps import small_plan

import atlas.generate.calibrate as calibration
from atlas.cli.generate_plan import print_plan
from atlas.generate.calibrate import calibrate
from atlas.generate.maker import Maker
from atlas.records import ImageShard, Receipt
from atlas.sweep.shards import image_cost

WORDS = ("layers=[conv1,conv2,conv3,conv4]", "channels=0:3", "metric=[l1,l2]")
FIXED, RATE = 0.25, 3e-9  # seconds of an image beside its steps, and of a multiply-add


def test_real_work_is_measured_and_nothing_is_written(tmp_path: Path) -> None:
    config, plan = small_plan(tmp_path / "a", *WORDS)
    seconds = calibrate(config, plan)
    assert seconds.keys() == {("patternnet", f"conv{n}") for n in (1, 2, 3, 4)}
    assert min(seconds.values()) > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layers", [8, 2])
def test_a_whole_recipe_is_reckoned_from_a_few_steps_and_a_layer_from_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], layers: int
) -> None:
    tried: set[str] = set()

    def make(maker: Maker, shard: ImageShard) -> Receipt:
        tried.add(shard.layer)
        (layer,) = (layer for layer in maker.card.layers if layer.name == shard.layer)
        seconds = len(shard.items) * (FIXED + RATE * image_cost(layer, maker.card, maker.recipe))
        return Receipt(shard.id, (), len(shard.items), 0, 0, seconds, batch=1, peak_bytes=0)

    monkeypatch.setattr(calibration, "LAYERS", layers)
    monkeypatch.setattr(Maker, "make", make)
    config, plan = small_plan(tmp_path / "a", *WORDS)
    seconds = calibrate(config, plan)
    assert len(tried) == min(layers, 4)
    for shard in plan.shards:
        wanted = FIXED + RATE * shard.cost / len(shard.items)
        assert seconds["patternnet", shard.layer] == pytest.approx(wanted)
    sentence = print_plan(config, plan, dict.fromkeys(seconds, 600.0))
    assert "24 images" in sentence
    assert "about 4:00:00 of work on 1 cpu actor, at the rates that one worker has just shown" in sentence
    assert "4:00:00" in capsys.readouterr().out
    assert "an assumed 25 G multiply-adds a second each (dry_run=calibrate measures it)" in print_plan(config, plan)
