"""`atlas dream` from end to end: the lab's own loop as oracle, any picture, every frame, and every mistake before any work."""

import re
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from progress_lines import without_progress
from sklearn.datasets import load_sample_image
from torch import Tensor, nn

import atlas
from atlas.cli.job import run_job
from atlas.config.mistakes import ConfigError
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import DreamConfig, MetricConfig, ModelConfig
from atlas.dream import dream as dreamer
from atlas.dream import plan as dream_plan
from atlas.dream.job import dream_job
from atlas.optvis.make import FinishedImages, make_images
from atlas.store import files
from atlas.store.images import to_pil
from atlas.zoo import one_model
from atlas.zoo.card import make_card
from atlas.zoo.load import load

pytestmark = pytest.mark.job

PATTERNNET = ModelConfig(source="patternnet")
RESNET = ModelConfig(source="torchvision", entry="resnet18", weights="none")
FACTORIES = """
from torch import nn

def fixed():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))

def silent():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
    nn.init.constant_(net[0].bias, -100.0)
    return net

def deep():
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.Tanh(), nn.Conv2d(4, 4, 5))

def broken():
    net = deep()
    nn.init.constant_(net[2].weight, float("inf"))
    return net
"""
CUSTOM = ["model=custom", "model.input_size=32"]
QUICK = ["image=cat.png", "layers=[conv2]", "channels=[0]", "device=cpu", "recipe.octaves.0.steps=4"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("dream_factories.py").write_text(FACTORIES)
    cat().save("cat.png")
    return tmp_path


def cat(width: int = 57, height: int = 38) -> Image.Image:
    return Image.fromarray(skimage.data.chelsea()).resize((width, height))


def dreams(recipe: str = "dream", steps: int = 4, lr: float | None = None, octaves: Any = None, **settings: Any):
    rate = lr if lr is not None else 12.0 if recipe == "dream" else 0.02
    given = octaves if octaves is not None else [{"size": None, "steps": steps, "lr": [rate, rate]}]
    made = read_recipe(recipe, octaves=given)
    given = {
        "image": "cat.png",
        "models": {"patternnet": PATTERNNET},
        "metrics": {"mean": MetricConfig()},
        "layers": ["conv2"],
        "channels": [0],
        "device": "cpu",
        **settings,
    }
    return dream_job(DreamConfig(recipe=made, **given), [], lambda row, pictures: None)


def written() -> list[str]:
    return sorted(path.relative_to("outputs/dream").as_posix() for path in Path("outputs").rglob("*") if path.is_file())


def naive(model: nn.Module, layer: str, channel: int, image: Tensor, steps: int, optimizer: Any) -> Tensor:
    """The lab's deep_dream: the whole model, a hook, an optimizer of torch on the picture."""
    image = torch.autograd.Variable(image.clone(), requires_grad=True)
    activations: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda module, inputs, out: activations.append(out))
    optim = optimizer([image])
    for _ in range(steps):
        optim.zero_grad()
        activations.clear()
        _ = model(image)
        loss = -torch.mean(activations[-1][0, channel])
        loss.backward()
        optim.step()
    handle.remove()
    return image.detach()


def scale(model: Any) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in model.preprocessing[:2])
    return mean, std


# the lab's rate, and one that drives PatternNet far
CASES = {"patternnet": (PATTERNNET, "conv3", 1200.0), "resnet18": (RESNET, "layer1.0.conv1", 12.0)}


@pytest.mark.parametrize("name", ["patternnet", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_the_picture_is_the_labs_to_the_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config, layer, rate = CASES[name]
    china = Image.fromarray(load_sample_image("china.jpg")).resize((96, 65), Image.Resampling.LANCZOS)
    china.save("china.png")
    kept: list[FinishedImages] = []

    def spied(*args: Any, **named: Any) -> FinishedImages:
        kept.append(make_images(*args, **named))
        return kept[-1]

    monkeypatch.setattr(dreamer, "make_images", spied)
    outcome = dreams(
        steps=15, lr=rate, image="china.png", models={name: config}, layers=[layer], channels=[3, 0], frames=10
    )
    model = load(name, config)
    model.model.to(memory_format=torch.contiguous_format)  # as the lab runs it
    mean, std = scale(model)
    start = (torch.from_numpy(np.asarray(china).copy()).permute(2, 0, 1) / 255 - mean) / std
    lab = partial(torch.optim.SGD, lr=rate, weight_decay=1e-4)
    for row, made in zip(outcome.rows, kept, strict=True):
        theirs = naive(model.model, layer, row.channel, start[None], 15, lab) * std + mean
        assert torch.equal(made.images, theirs)
        assert np.array_equal(np.asarray(Image.open(row.dream)), np.asarray(to_pil(theirs[0].numpy())))
        earlier = naive(model.model, layer, row.channel, start[None], 10, lab) * std + mean
        frame = Image.open(row.dream.replace("-dream", "-0010"))
        assert np.array_equal(np.asarray(frame), np.asarray(to_pil(earlier[0].numpy())))
        assert row.change > 1 and row.score > row.score_start


@pytest.mark.parametrize("name", CASES)
def test_the_labs_filter_visualisation(name: str) -> None:
    config, layer, _ = CASES[name]
    model = load(name, config)
    model.model.to(memory_format=torch.contiguous_format)  # as the lab runs it
    mean, std = scale(model)
    start = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 30 / 255 + 150 / 255
    ours = atlas.visualize(
        model.model,
        layer,
        2,
        recipe="filter",
        octaves=[{"steps": 15, "lr": (0.1, 0.1)}],
        start=start,
        mean=mean.flatten().tolist(),
        std=std.flatten().tolist(),
    )
    adam = partial(torch.optim.Adam, lr=0.1, weight_decay=1e-6)
    theirs = naive(model.model, layer, 2, (start - mean) / std, 15, adam)
    assert torch.equal(ours.images, theirs * std + mean)
    assert (ours.images - start).abs().mean() > 0.1


def test_the_command_tells_of_the_dream_and_its_frames(capsys: pytest.CaptureFixture[str]) -> None:
    steps = ["recipe.octaves.0.steps=120", "recipe.octaves.0.lr=[200,200]"]
    assert run_job("dream", ["image=cat.png", "layers=[conv1]", "channels=[5]", "device=cpu", *steps]) == 0
    out, err = capsys.readouterr()
    header, _, row = out.splitlines()
    names = (
        "image",
        "model",
        "layer",
        "channel",
        "name",
        "metric",
        "recipe",
        "steps",
        "score_start",
        "score",
        "change",
    )
    assert header.split() == [*names, "dream", "frames"]
    told = dict(zip(header.split(), row.split(), strict=True))
    assert [told[name] for name in (*names[:8], "frames")] == [
        *("cat.png", "patternnet", "conv1", "5", "-", "mean", "dream", "120", "3")
    ]
    assert float(told["score"]) > float(told["score_start"])
    assert err.splitlines()[0].endswith("  0/120 steps  0%  starting"), "from the first second"
    assert without_progress(err) == f"  {told['dream']}\n"
    frames = [f"patternnet/conv1/cat-5-{step}.png" for step in ("0050", "0100", "0120")]
    assert written() == [*frames, "patternnet/conv1/cat-5-dream.png", "patternnet/conv1/cat-5-dream.webp"]
    last, dream = (Path("outputs/dream", path).read_bytes() for path in (frames[-1], written()[-2]))
    assert last == dream
    changed = np.asarray(Image.open(told["dream"]), int) - np.asarray(cat(), int)
    assert float(told["change"]) == pytest.approx(np.abs(changed).mean(), rel=1e-3)
    with Image.open(Path(told["dream"]).with_suffix(".webp")) as moving:
        assert (moving.n_frames, moving.size) == (4, (57, 38))
        assert np.abs(np.asarray(moving.convert("RGB"), int) - np.asarray(cat(), int)).mean() < 8, (
            "it begins as the cat"
        )


@pytest.mark.parametrize(
    ("steps", "every", "frames"), [(7, 3, [3, 6, 7]), (6, 3, [3, 6]), (2, 50, [2]), (3, 1, [1, 2, 3])]
)
def test_frames_are_kept_in_turn_and_the_last_always(steps: int, every: int, frames: list[int]) -> None:
    (row,) = dreams(steps=steps, frames=every).rows
    assert (row.steps, row.frames) == (steps, len(frames))
    assert written() == [
        *(f"patternnet/conv2/cat-0-{step:04d}.png" for step in frames),
        "patternnet/conv2/cat-0-dream.png",
    ]


@pytest.mark.parametrize(
    ("recipe", "picture", "size", "expected"),
    [
        ("dream", cat(57, 38), None, (57, 38)),
        ("dream_normalized", cat(33, 71), None, (33, 71)),
        ("dream", cat(57, 38), 41, (41, 27)),
        ("dream_normalized", cat(30, 40), 80, (60, 80)),
        ("dream", Image.fromarray(skimage.data.camera()).resize((40, 31)), None, (40, 31)),
        ("dream_normalized", cat(40, 31).convert("RGBA"), None, (40, 31)),
    ],
)
def test_pictures_of_any_size_and_kind(
    recipe: str, picture: Image.Image, size: int | None, expected: tuple[int, int]
) -> None:
    picture.save("one.png")
    (row,) = dreams(recipe, image="one.png", size=size).rows
    with Image.open(row.dream) as dream:
        assert (dream.mode, dream.size) == ("RGB", expected)
        begun = picture.convert("RGB").resize(expected, Image.Resampling.LANCZOS)
        assert row.change == pytest.approx(np.abs(np.asarray(begun, int) - np.asarray(dream, int)).mean())
        assert row.change < 40, "four steps leave the picture to be seen"


def test_a_recipe_of_pixels_may_grow_the_picture() -> None:
    octaves = [{"size": size, "steps": 2, "lr": [0.1, 0.1]} for size in (48, 60)]
    (row,) = dreams("octaves", octaves=octaves, frames=2).rows
    folder = Path(row.dream).parent
    shapes = [np.asarray(Image.open(folder / f"cat-0-{name}.png")).shape for name in ("0002", "0004", "dream")]
    assert shapes == [(32, 48, 3), (40, 60, 3), (40, 60, 3)]


def test_every_channel_metric_and_target_has_files_of_its_own() -> None:
    metrics = {"mean": MetricConfig(), "l1": MetricConfig(200.0)}
    outcome = dreams(
        channels="0:2", layers=["conv1", "conv2"], metrics=metrics, target={"kind": "row", "row": [1, 2]}, steps=1
    )
    names = {Path(row.dream).name for row in outcome.rows}
    assert names == {f"cat-{c}-row{r}-{m}-dream.png" for c in (0, 1) for r in (1, 2) for m in metrics}
    assert len({row.dream for row in outcome.rows}) == len(outcome.rows) == 16
    assert [row.layer for row in outcome.rows] == ["conv1"] * 8 + ["conv2"] * 8


def test_a_class_is_asked_for_and_told_by_its_name() -> None:
    (row,) = dreams("dream_normalized", steps=1, layers=["logits"], channels=["rings"]).rows
    assert (row.channel, row.name) == (6, "rings")
    (row,) = dreams("dream_normalized", steps=1, channels=[6]).rows
    assert row.name is None


def test_another_recipe_leaves_no_frame_of_the_first() -> None:
    dreams(steps=6, frames=2)
    near = Path("outputs/dream/patternnet/conv2/cat-01-0002.png")
    near.touch()
    dreams("dream_normalized", steps=2, frames=2)
    assert written() == [f"patternnet/conv2/cat-{name}.png" for name in ("0-0002", "0-dream", "01-0002")]


def test_many_channels_together_are_as_each_alone() -> None:
    together = dreams("dream_normalized", steps=6, channels="0:3").rows
    pictures = [np.asarray(Image.open(row.dream), int) for row in together]
    for row, picture in zip(together, pictures, strict=True):
        (alone,) = dreams("dream_normalized", steps=6, channels=[row.channel], out="outputs/alone").rows
        assert np.abs(np.asarray(Image.open(alone.dream), int) - picture).max() <= 1
        assert alone.score == pytest.approx(row.score, rel=1e-3)


def test_a_batch_that_does_not_fit_is_halved_and_one_that_never_fits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def small(*args: Any, limit: int, seeds: list[int], **named: Any) -> FinishedImages:
        sizes.append(len(seeds))
        if len(seeds) > limit:
            raise torch.OutOfMemoryError("too much")
        return make_images(*args, seeds=seeds, **named)

    monkeypatch.setattr(dreamer, "make_images", partial(small, limit=2))
    assert len(dreams("dream_normalized", channels="0:5").rows) == 5
    assert sizes == [5, 2, 2, 1]
    monkeypatch.setattr(dreamer, "make_images", partial(small, limit=0))
    assert dreams().failures == ["patternnet/conv2:0: it does not fit the memory there is: OutOfMemoryError: too much"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"layers": ["conv9"]}, "layers=conv9: matches no layer of patternnet; did you mean conv"),
        ({"channels": [99]}, "channels=99: patternnet/conv2 has"),
        ({"channels": "x"}, "channels='x': 'x' is no channel"),
        ({"metrics": {"l3": MetricConfig()}}, "metric=l3: no such metric; allowed: l1, l2, linf, mean"),
        ({"models": {"patternet": ModelConfig(source="any")}}, "models.patternet: no model 'patternet'"),
        ({"image": "cat.jpg"}, "image=cat.jpg: there is no such file or folder; did you mean cat.png"),
        ({"image": "text.png"}, "image=text.png: text.png is no picture that can be read"),
        ({"image": "empty"}, "image=empty: is a folder; a dream begins as one picture"),
        ({"image": "sklearn:chna.jpg"}, "image=sklearn:chna.jpg: no such photograph; did you mean sklearn:china.jpg"),
        ({"image": "narrow.png"}, "image=narrow.png: 40 x 3 pixels; at least 8 are wanted on each side"),
        (
            {"recipe": "fourier"},
            "recipe=fourier: its images are made of fourier, which a picture is not; take one that",
        ),
        ({"recipe": "maco"}, "recipe=maco: its images are made of phases"),
        ({"target": {"kind": "row", "row": -1}}, "target.row=-1: a whole number from 0 up"),
        (
            {"target": {"kind": "row", "row": 19}},
            "target.row=19: this map has 19 (0 to 18), patternnet/conv2 at 57 x 38 pixels",
        ),
        (
            {"target": {"kind": "joint", "with": ["patternnet/conv9:1"]}},
            "target.with=patternnet/conv9:1: patternnet has no layer conv9; did you mean conv",
        ),
        ({"out": "text.png"}, "out=text.png: is a file; name a folder"),
        ({"frames": 0}, "frames=0: a whole number from 1 up"),
        ({"size": 4}, "size=4: a whole number from 8 up"),
    ],
)
def test_a_mistake_is_found_before_anything_is_written(settings: dict[str, Any], said: str) -> None:
    Path("empty").mkdir()
    Path("text.png").write_text("no picture")
    cat(40, 3).save("narrow.png")
    before = sorted(Path().iterdir())
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}"):
        dreams(**settings)
    assert sorted(Path().iterdir()) == before


def test_all_mistakes_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["image=cat.jpg", "layers=[conv9]", "metric=l3", "recipe.optimizer=sdg", "frmes=3", "device=tpu"]
    assert run_job("dream", [*wrong, "channels=x"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0]) == ("", "atlas: 7 mistakes:")
    for value in ("image=cat.jpg", "layers=conv9", "metric=l3", "recipe.optimizer=sdg", "frmes=3", "channels='x'"):
        assert f"\n  {value}: " in err
    assert not Path("outputs").exists()


def test_a_row_that_only_this_picture_is_large_enough_for() -> None:
    cat(90, 80).save("large.png")
    assert dreams(image="large.png", target={"kind": "row", "row": 39}).rows, "at the model's size conv2 has 32"


@pytest.mark.parametrize(
    ("factory", "layer", "picture", "said"),
    [
        ("fixed", "0", "cat.png", r"custom takes images of 32 x 32 pixels only, and this is 57 x 38; cut it square"),
        ("deep", "2", "small.png", r"custom cannot take it at 16 x 16 pixels: RuntimeError: .*[Kk]ernel size"),
    ],
)
def test_a_picture_that_a_model_cannot_take(
    factory: str, layer: str, picture: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cat(16, 16).save("small.png")
    arguments = [*CUSTOM, f"model.factory=dream_factories:{factory}", f"image={picture}", f"layers=['{layer}']"]
    assert run_job("dream", [*arguments, "channels=[0]"]) == 2
    assert capsys.readouterr().err.startswith(f"atlas: image={picture}: {said[:12]}")
    assert not Path("outputs").exists()
    with pytest.raises(ConfigError, match=said):
        dreams(image=picture, layers=[layer], models=custom(factory))


def custom(factory: str) -> dict[str, ModelConfig]:
    return {"custom": ModelConfig(source="custom", factory=f"dream_factories:{factory}", input_size=32)}


def test_a_model_of_one_size_takes_a_picture_of_that() -> None:
    cat(48, 48).save("square.png")
    assert dreams(image="square.png", size=32, layers=["0"], models=custom("fixed")).rows


def test_a_picture_that_hardly_changes_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    faded = dreams(steps=30, image="sklearn:china.jpg", size=128, layers=["conv3"])
    assert faded.rows[0].change > 2, "weight decay fades it, and nothing else happens"
    (note,) = faded.notes
    assert note.startswith("patternnet/conv3:0: the picture has hardly changed (")
    assert note.endswith("): fixed rates fit some networks; try recipe=dream_normalized")
    assert not dreams(steps=10, lr=3000.0).notes
    assert not dreams("dream_normalized", steps=1).notes
    assert run_job("dream", [*QUICK, "recipe.octaves.0.lr=[1e-3,1e-3]"]) == 0
    assert "note: patternnet/conv2:0: the picture has hardly changed (0 of 255" in capsys.readouterr().err


def test_a_silent_channel_is_no_dream(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*CUSTOM, "model.factory=dream_factories:silent", "layers=['2']", "channels=[1]", "image=cat.png"]
    assert run_job("dream", arguments) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), without_progress(err)) == (2, "note: custom/2:1: no gradient reaches the picture\n")
    assert not Path("outputs").exists()


def test_a_picture_that_diverges_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*CUSTOM, "model.factory=dream_factories:broken", "layers=['2']", "channels=[1]", "image=cat.png"]
    assert run_job("dream", arguments) == 3
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), without_progress(err)[:67]) == (
        2,
        "failed: custom/2:1: picture or loss was no longer finite after 250 ",
    )
    assert not Path("outputs").exists()


def test_no_two_models_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref] = []

    def counted(name: str, config: ModelConfig, *place: str) -> Any:
        assert not [one for one in held if one() is not None]
        loaded = load(name, config, *place)
        held.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(one_model, "load", counted)
    monkeypatch.setattr(dream_plan, "make_card", partial(_first, held))
    rows = dreams(models=dict.fromkeys(("a", "b"), PATTERNNET)).rows
    assert [row.model for row in rows] == ["a", "b"]
    assert len(held) == 3, "each to be tried, the second once more to work"


def _first(held: list[weakref.ref], name: str, config: ModelConfig) -> Any:
    assert not held, "cards are read first"
    return make_card(name, config)


@pytest.mark.parametrize(("at", "whole"), [(3, 1), (5, 2), (7, 3)])
def test_an_interruption_leaves_whole_files_only(
    at: int, whole: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[int] = []

    def interrupted(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupted)
    assert run_job("dream", [*QUICK, "frames=2"]) == 75
    assert "run the same again" in capsys.readouterr().err
    assert len(written()) == whole and not list(Path("outputs").rglob("*.part"))
