"""Every recipe: an image does not know its batch, the dead leave it, and sweeps of each are resumed to the same bytes."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from sweeps import image_bytes, patternnet_card, rows_of, sweep
from torch import nn

import atlas
from atlas.config.checks import value_mistakes
from atlas.config.compose import compose_model
from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError
from atlas.config.recipe_files import own_metric, read_recipe
from atlas.config.schema import CONSTANT, ClusterConfig, RecipeConfig, SweepConfig
from atlas.generate.job import ImagesOutcome, generate
from atlas.generate.recipe_inputs import digest_of, read_material
from atlas.optvis import channel as channel_of
from atlas.optvis.batch import Keep
from atlas.optvis.make import Canvas, FinishedImages, make_images
from atlas.optvis.metrics import metric_named
from atlas.optvis.optimize import PATIENCE
from atlas.optvis.params import GRAY
from atlas.optvis.targets import target_objective
from atlas.query.verify.verify import verify
from atlas.records import Target
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan, make_plan
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.load import load
from atlas.zoo.patternnet import MEAN, STD
from tests.made_cards import plan_mistakes
from tests.small_nets import smooth

pytestmark = pytest.mark.job

SCALE = torch.tensor([[0.4, 0.5, 0.6], [0.2, 0.25, 0.3]])[:, :, None, None]
SEEDS = [11, 12, 13, 14]
CHANNELS = [0, 3, 1, 6]
ALL = ["standard", "normalized", "octaves", "plain", "quick", "filter", "dream", "dream_normalized", "fourier", "maco"]
# Rounding (1e-7; sums of a batch are in another order) grows with what a step may do to it: Adam divides by gradients
# that may be small, and MACO's rate is that of phases, in radians.
NEAR = {"filter": 1e-3, "fourier": 1e-3, "maco": 1e-2}


def test_every_recipe_is_here():
    assert sorted(ALL) == sorted(path.stem for path in (conf_dir() / "recipe").glob("*.yaml"))


def half_dead() -> nn.Sequential:
    """A smooth net whose channel 3 no pixel reaches."""
    net = smooth()[:3]
    with torch.no_grad():
        net[2].weight[3] = 0
    return net


@cache
def short(name: str, steps: int = 12, size: int = 16) -> RecipeConfig:
    """A recipe with its own rates and widths, at one small size."""
    octave = replace(read_recipe(name).octaves[0], size=size, steps=steps)
    return fit_recipe(
        replace(read_recipe(name), octaves=[octave]), "m", input_size=size if name != "maco" else 8, device="cpu"
    )


def made(name: str, places: list[int], net: nn.Module, *, steps: int = 12, keep: Keep = Keep()) -> FinishedImages:
    """Images of some of the channels, in one batch."""
    recipe = short(name, steps)
    seeds = [SEEDS[i] for i in places]
    picture = None
    if recipe.picture is not None:
        picture = torch.rand(3, 12, 16, generator=torch.Generator().manual_seed(5))
    canvas = Canvas(SCALE, torch.device("cpu"), torch.contiguous_format, picture=picture)
    channels = torch.tensor([CHANNELS[i] for i in places])
    objective = target_objective(Target(), "out", channels, metric_named(own_metric(name), CONSTANT))
    return make_images(lambda x: {"out": net(x)}, objective, recipe, seeds=seeds, canvas=canvas, keep=keep)


@pytest.mark.parametrize("name", ALL)
def test_an_image_alone_is_the_image_in_a_batch(name):
    together = made(name, [0, 1, 2, 3], smooth()[:3])
    assert together.status == ["ok"] * 4
    for place in range(4):
        alone = made(name, [place], smooth()[:3])
        torch.testing.assert_close(alone.images[0], together.images[place], rtol=0, atol=NEAR.get(name, 1e-4))
        torch.testing.assert_close(alone.trace[0], together.trace[place], rtol=0, atol=10 * NEAR.get(name, 1e-4))
    if "dream" not in name:
        assert (together.images[0] - together.images[2]).abs().max() > 1e-3, "each from its own noise"


@pytest.mark.parametrize("name", ALL)
def test_the_dead_leave_and_nobody_notices(name):
    with_dead = made(name, [0, 1, 2, 3], half_dead(), steps=PATIENCE + 8)
    assert with_dead.status == ["ok", "dead", "ok", "ok"]
    assert with_dead.steps == [PATIENCE + 8, PATIENCE + 1, PATIENCE + 8, PATIENCE + 8]
    torch.testing.assert_close(with_dead.images[1], torch.full_like(with_dead.images[1], GRAY))
    without = made(name, [0, 2, 3], half_dead(), steps=PATIENCE + 8)
    torch.testing.assert_close(with_dead.images[[0, 2, 3]], without.images, rtol=0, atol=NEAR.get(name, 1e-4))


@pytest.mark.parametrize("name", ["fourier", "maco", "filter", "dream"])
def test_all_may_be_dead(name):
    alone = made(name, [1], half_dead(), steps=PATIENCE + 8)
    assert (alone.status, alone.steps) == (["dead"], [PATIENCE + 1])


@pytest.mark.parametrize(("name", "needed"), [("fourier", 0.25), ("maco", 0.65)])
def test_a_blocked_feature_is_rescued_through_views_too(name, needed):
    """A ReLU that no part of the start is bright enough for, seen moved, turned or cropped; the other image is as alone."""
    weight = torch.rand(7, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    bias = -needed * weight.sum((1, 2, 3))
    bias[[0, 1, 6]] = 0

    class Blocked(nn.Module):
        def forward(self, x):
            return F.relu(F.conv2d(x, weight, bias))

    both, alone = made(name, [0, 1], Blocked(), steps=30), made(name, [0], Blocked(), steps=30)
    assert both.status == ["ok", "ok"]
    assert both.trace[1][0] == 0 < both.scores[1]
    torch.testing.assert_close(both.images[0], alone.images[0], rtol=0, atol=NEAR[name])


@pytest.mark.parametrize("name", ALL)
def test_descent_raises_the_score_and_shows_rgb(name):
    result = made(name, [0, 2], smooth()[:3])
    assert all(score > trace[0] for score, trace in zip(result.scores, result.trace, strict=True))
    if name in ("standard", "normalized", "quick", "dream_normalized", "fourier", "maco"):
        assert result.images.min() >= 0 and result.images.max() <= 1


@pytest.mark.parametrize("name", ["fourier", "maco"])
def test_channels_and_frames_are_kept_along_the_way(name):
    result = made(name, [0, 2], smooth()[:3], steps=20, keep=Keep(means=True, frames=8))
    assert [step for step, _ in result.frames[0]] == [8, 16, 20]
    torch.testing.assert_close(result.frames[1][-1][1], result.images[1], rtol=0, atol=1e-6)
    for place, channel in enumerate([0, 1]):
        assert len(result.means[place]) == len(result.trace[place]) == 2
        means = [moment[channel].item() for moment in result.means[place]]
        assert means == pytest.approx(result.trace[place], abs=1e-6), "the mean of the views that were shown"


def test_the_lab_s_images_stay_as_the_model_takes_them():
    """Weight decay pulls the model's own numbers to 0, which is its mean colour, and not to black."""
    recipe = replace(short("filter", steps=60), weight_decay=1.0)
    canvas = Canvas(SCALE, torch.device("cpu"), torch.contiguous_format)
    flat = channel_of("out", 0)
    image = make_images(lambda x: {"out": x * 1e-9}, flat, recipe, seeds=[1], canvas=canvas).images[0]
    torch.testing.assert_close(image.mean((1, 2)), SCALE[0].flatten(), rtol=0, atol=0.02)


# ---- sweeps of PatternNet ----

TINY = {
    "filter": ["recipe=filter", "recipe.octaves=[{size: 40, steps: 4, lr: [0.1, 0.1]}]"],
    "dream": ["recipe=dream", "recipe.octaves=[{size: 40, steps: 4, lr: [2, 2]}]"],
    "dream_normalized": ["recipe=dream_normalized", "recipe.octaves=[{size: 40, steps: 4, lr: [0.02, 0.01]}]"],
    "fourier": ["recipe=fourier", "recipe.octaves=[{size: 40, steps: 8, lr: [0.05, 0.05]}]"],
    "maco": ["recipe=maco", "recipe.octaves=[{size: 60, steps: 8, lr: [1.0, 1.0]}]", "recipe.transforms.views=2"],
}
SIZES = {"dream": (40, 27), "dream_normalized": (40, 27), "maco": (60, 60)}
ASK = ("cluster=inline", "layers=[conv1,conv3]", "channels=0:2")
# `dream` goes the way of `dream_normalized`
every_recipe = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "dream_normalized" else name for name in TINY]
)


def asked(out: Path, *overrides: str, **changes: Any) -> tuple[SweepConfig, Plan]:
    """What `prepare` makes of a command line, with a card that is read once."""
    config = replace(sweep(*ASK, *overrides, out=out), **changes)
    assert value_mistakes(config) == []
    cards, material = {"patternnet": patternnet_card()}, read_material(config.recipe)
    assert plan_mistakes(config, cards, material) == []
    return config, make_plan(config, cards, material)


def run(out: Path, *overrides: str, **changes: Any) -> ImagesOutcome:
    config, plan = asked(out, *overrides, **changes)
    return generate(config, plan, list(overrides))


@every_recipe
def test_a_sweep_is_whole_and_the_same_bytes_in_any_order_and_resumed(tmp_path: Path, name: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    outcome = run(whole, *TINY[name])
    assert (outcome.planned, outcome.made, outcome.dead, outcome.failed, outcome.left) == (4, 4, 0, 0, 0)
    rows = rows_of(whole)
    assert {(row["recipe"], row["metric"], row["status"]) for row in rows} == {(name, "mean", "ok")}
    for row in rows:
        assert row["score"] > row["score_start"] == row["trace"][0]
        with Image.open(whole / row["image"]) as image:
            assert image.size == (row["width"], row["height"]) == SIZES.get(name, (40, 40))
    assert verify(AtlasPaths(whole)).exit_code == 0

    assert run(parts, *TINY[name], layers=["conv3"]).made == 2
    half = parts / "images/patternnet/conv1/mean/0.png"  # what a killed run leaves: an image without a row
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert run(parts, *TINY[name]).made == 2
    assert image_bytes(parts) == image_bytes(whole)
    again = run(parts, *TINY[name])
    assert (again.made, again.left, again.idle) == (0, 0, True)
    assert image_bytes(parts) == image_bytes(whole)


@every_recipe
def test_a_sweeps_image_is_that_of_visualize(tmp_path: Path, name: str) -> None:
    """Also what views are drawn: both ways begin each image's stream with its own seed."""
    run(tmp_path, *TINY[name], layers=["conv3"], channels=[1])
    _, plan = asked(tmp_path, *TINY[name], layers=["conv3"], channels=[1])
    net = load("patternnet", compose_model("patternnet"))
    recipe = replace(plan.recipes["patternnet"], picture=None if "dream" not in name else "sklearn:china.jpg")
    given = {"recipe": recipe, "metric": "mean", "input_size": 64, "mean": MEAN, "std": STD}
    (mine,) = atlas.visualize(net.model, "conv3", [1], **given).pil()
    (row,) = rows_of(tmp_path)
    with Image.open(tmp_path / row["image"]) as held:
        difference = np.abs(np.asarray(held, float) - np.asarray(mine, float))
    assert difference.max() <= 4, "rounding, of weights that lie in another order"


@pytest.mark.parametrize("name", ["fourier", "maco"])
def test_images_made_one_by_one_are_those_made_together(tmp_path: Path, name: str) -> None:
    one_by_one = ClusterConfig(kind="inline", batch=1)
    run(tmp_path / "together", *TINY[name], layers=["conv3"])
    run(tmp_path / "alone", *TINY[name], layers=["conv3"], cluster=one_by_one)
    for one, other in zip(rows_of(tmp_path / "together"), rows_of(tmp_path / "alone"), strict=True):
        assert one["task"] == other["task"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-2)
        first, second = (
            np.asarray(Image.open(tmp_path / folder / one["image"]), float) for folder in ("together", "alone")
        )
        assert np.abs(first - second).mean() < 2, "of 255: rounding, which division by small gradients enlarges"


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "cat.png"
    path.parent.mkdir()
    drawn = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(drawn).resize((60, 40)).save(path)
    return path


def dream(path: Path, rate: float = 1.0) -> list[str]:
    octave = f"{{size: null, steps: 2, lr: [{rate}, {rate}]}}"
    return ["recipe=dream", f"recipe.picture={path}", f"recipe.octaves=[{octave}]", "layers=[conv2]"]


def test_a_dream_begins_as_its_picture_and_the_atlas_keeps_it(tmp_path: Path, photograph: Path) -> None:
    run(tmp_path / "a", *dream(photograph, rate=0), channels=[0])
    (kept,) = (tmp_path / "a" / "starts").iterdir()
    with Image.open(kept) as copy, Image.open(photograph) as original:
        assert kept.stem == digest_of(original.convert("RGB"))
        assert copy.tobytes() == original.tobytes()
        for row in rows_of(tmp_path / "a"):
            with Image.open(tmp_path / "a" / row["image"]) as image:
                assert image.tobytes() == original.tobytes(), "moved by nothing"


def test_a_picture_is_known_by_content_so_a_dream_goes_on_from_the_atlass_own_copy(
    tmp_path: Path, photograph: Path
) -> None:
    run(tmp_path / "whole", *dream(photograph))
    run(tmp_path / "a", *dream(photograph), channels=[0])
    photograph.unlink()
    (mistake,) = value_mistakes(sweep(*ASK, *dream(photograph)))
    assert f"recipe.picture={photograph}: no such file" in mistake
    (kept,) = (tmp_path / "a" / "starts").iterdir()
    assert run(tmp_path / "a", *dream(kept)).made == 1
    assert image_bytes(tmp_path / "a") == image_bytes(tmp_path / "whole")
    assert run(tmp_path / "a", *dream(kept)).idle


def test_a_picture_that_changes_between_plan_and_run_is_refused(tmp_path: Path, photograph: Path) -> None:
    config, plan = asked(tmp_path / "a", *dream(photograph))
    Image.new("RGB", (60, 40), "red").save(photograph)
    with pytest.raises(ConfigError, match=r"recipe\.picture=.*cat\.png: it has changed since"):
        generate(config, plan, [])
    assert not (tmp_path / "a" / "index").exists()


def test_another_picture_under_the_same_name_is_another_task(tmp_path: Path, photograph: Path) -> None:
    run(tmp_path / "a", *dream(photograph))
    Image.new("RGB", (60, 40), "red").save(photograph)
    assert run(tmp_path / "a", *dream(photograph)).made == 2
    assert len(list((tmp_path / "a" / "starts").iterdir())) == 2
    assert len(image_bytes(tmp_path / "a")) == 4
    assert verify(AtlasPaths(tmp_path / "a")).exit_code == 0


def test_a_picture_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"recipe\.picture=.*cat\.jpg: .*is no picture that can be read"):
        read_material(read_recipe("dream", picture=str(tmp_path / "cat.jpg")))


def test_a_spectrum_is_that_of_a_folders_pictures(tmp_path: Path) -> None:
    """Stripes of 8 pixels have their energy there; a folder without pictures is named."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"recipe\.spectrum=.*pictures: there is no picture in this folder"):
        read_material(read_recipe("maco", spectrum=str(folder)))
    wave = 127 + 100 * np.sin(2 * np.pi * np.arange(256) / 8)
    stripes = np.broadcast_to(wave[None, :, None], (256, 256, 3)).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(stripes)).save(folder / "stripes.png")
    material = read_material(read_recipe("maco", spectrum=str(folder)))
    curves = np.array(material.amplitudes)
    assert curves.max() == 1
    assert curves[0].argmax() == round(0.125 / 0.5**0.5 * (curves.shape[1] - 1)), "brightness, one cycle in 8 pixels"
    assert curves[1:].max() < 0.1, "hardly any colour"
    run(tmp_path / "a", *TINY["maco"], f"recipe.spectrum={folder}", layers=["conv1"], channels=[0])
    run(tmp_path / "a", *TINY["maco"], layers=["conv1"], channels=[0])
    assert len(set(image_bytes(tmp_path / "a").values())) == 2
