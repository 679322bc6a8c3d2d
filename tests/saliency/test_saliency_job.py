"""`atlas saliency` from end to end: every kind of picture, whole files, one table, and every mistake before any work."""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from progress_lines import without_progress

from atlas.cli.job import run_job
from atlas.cli.jobs.saliency import percent
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig, SaliencyConfig
from atlas.engine.signals import StopNow
from atlas.saliency import look as looker
from atlas.saliency.job import saliency_job
from atlas.saliency.maps import overlay, saliency, to_gray
from atlas.store import files
from atlas.store.images import read_picture
from atlas.zoo import one_model
from atlas.zoo.drawings import CLASSES
from atlas.zoo.eval_transform import eval_transform
from atlas.zoo.load import load

pytestmark = pytest.mark.job

PATTERNNET = ModelConfig(source="patternnet")
FACTORIES = """
from types import SimpleNamespace
import torch
from torch import nn

def maps():
    return nn.Conv2d(3, 4, 3)

def one_score():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))

def picky():
    return nn.Sequential(nn.Flatten(), nn.Linear(5, 2))

def tiny():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def blind():
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
    nn.init.zeros_(net[2].weight)
    return net

class Returning(nn.Module):
    def __init__(self, pack):
        super().__init__()
        self.net, self.pack = seeded(), pack

    def forward(self, images):
        return self.pack(self.net(images))

def seeded():
    torch.manual_seed(3)
    return tiny()

def several():
    return Returning(lambda scores: (None, scores, scores[:, :1]))

def named():
    return Returning(lambda scores: {"features": scores[:, :2], "logits": scores})

def out():
    return Returning(lambda scores: {"aux": scores[:, :2], "out": scores})

def object():
    return Returning(lambda scores: SimpleNamespace(loss=scores.sum(), logits=scores))

def nothing():
    return Returning(lambda scores: {"loss": 0.5})

def broken():
    net = blind()
    nn.init.constant_(net[2].weight, float("nan"))
    return net
"""


TINY = ["model.factory=saliency_factories:tiny", "model.input_size=32"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("saliency_factories.py").write_text(FACTORIES)
    return tmp_path


def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut()).resize((90, 70))


def exif_rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter
    astronaut().save(path, exif=exif)


def truncated(path: Path) -> None:
    astronaut().save(path)
    path.write_bytes(path.read_bytes()[:-900])


KINDS: dict[str, Any] = {
    "gray.png": lambda path: Image.fromarray(skimage.data.camera()).resize((90, 70)).save(path),
    "alpha.png": lambda path: astronaut().convert("RGBA").save(path),
    "cmyk.jpg": lambda path: astronaut().convert("CMYK").save(path),
    "turned.jpg": exif_rotated,
    "deep.tif": lambda path: Image.fromarray(skimage.data.camera()[::6, ::6].astype(np.uint16) * 257).save(path),
    "small.bmp": lambda path: astronaut().resize((7, 5)).save(path),
    "narrow.png": lambda path: astronaut().resize((1, 300)).save(path),
}
UNREADABLE: dict[str, Any] = {
    "cut.jpg": truncated,
    "text.jpg": lambda path: path.write_text("no picture"),
    "empty.png": lambda path: path.touch(),
}


def make(folder: Path, kinds: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    for name, write in kinds.items():
        write(folder / name)


def written() -> list[str]:
    return sorted(path.relative_to("outputs").as_posix() for path in Path("outputs").rglob("*") if path.is_file())


def look(image: Any, **settings: Any):
    settings = {"models": {"patternnet": PATTERNNET}, "device": "cpu", **settings}
    return saliency_job(SaliencyConfig(image=image, **settings), [], lambda rows, maps: None)


@pytest.mark.parametrize("kind", ["several", "named", "out", "object"])
def test_the_scores_are_the_first_tensor_or_the_named_one(kind: str) -> None:
    (plain,) = look("sklearn:china.jpg", models=custom("seeded")).rows
    (wrapped,) = look("sklearn:china.jpg", models=custom(kind), out="outputs/wrapped", method="grad_cam").rows
    assert (wrapped.category, wrapped.score) == (plain.category, plain.score)


def custom(factory: str) -> dict[str, ModelConfig]:
    return {"custom": ModelConfig(source="custom", factory=f"saliency_factories:{factory}", input_size=32)}


def test_the_command_tells_of_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("saliency", ["image=sklearn:china.jpg", "device=cpu"]) == 0
    out, err = capsys.readouterr()
    header, _, row = out.splitlines()
    names = ["image", "model", "category", "label", "score", "predicted", "probability", "method", "map"]
    names += ["overlay", "panel"]
    assert header.split() == names
    told = dict(zip(names, row.split(), strict=True))
    assert (told["image"], told["model"], told["predicted"], without_progress(err)) == (
        "sklearn:china.jpg",
        "patternnet",
        "true",
        "",
    )
    assert CLASSES[int(told["category"])] == told["label"]
    shape = {"map": ("L", (64, 64)), "overlay": ("RGB", (64, 64))}
    for kind, expected in shape.items():
        assert told[kind] == f"outputs/saliency/patternnet/china-{told['category']}-{kind}.png"
        with Image.open(told[kind]) as image:
            assert (image.mode, image.size) == expected
    assert (told["method"], told["panel"]) == ("gradient", told["map"].replace("-map", "-panel"))
    with Image.open(told["panel"]) as panel:
        assert panel.mode == "RGB" and panel.width > 600
        assert panel.text["Title"].endswith(f"{told['label']}, {percent(float(told['probability']))}")


def test_the_files_hold_the_map_and_its_overlay() -> None:
    make(Path("pictures"), KINDS)
    rows = look("pictures", category="dots", batch=3).rows
    model = load("patternnet", PATTERNNET)
    assert [Path(row.image).name for row in rows] == sorted(KINDS)
    for row in rows:
        seen = eval_transform(read_picture(Path(row.image)), model.preprocessing)
        found = saliency(model.model, model.preprocess(seen[None]), torch.tensor([CLASSES.index("dots")]))
        gray, mixed = np.asarray(Image.open(row.map)), np.asarray(Image.open(row.overlay))
        assert abs(gray.astype(int) - to_gray(found.maps[0])).max() <= 1, "a batch rounds differently"
        pixels = (seen * 255).round().byte().permute(1, 2, 0).numpy()
        assert np.array_equal(mixed, overlay(pixels, gray, (0.15, 0.85)))
        assert (row.category, row.label) == (CLASSES.index("dots"), "dots")
        assert row.score == pytest.approx(float(found.scores[0]), rel=1e-4)
        assert row.predicted == bool(found.predicted[0])


def test_a_turned_photograph_is_seen_upright() -> None:
    make(Path("pictures"), {"turned.jpg": exif_rotated})
    astronaut().save("plain.jpg")
    turned, plain = (Image.open(look(path).rows[0].overlay) for path in ("pictures/turned.jpg", "plain.jpg"))
    assert np.abs(np.asarray(turned, int) - np.asarray(plain, int)).max() > 20


def test_in_a_folder_the_unreadable_are_listed_and_the_others_done(capsys: pytest.CaptureFixture[str]) -> None:
    make(Path("pictures"), {**KINDS, **UNREADABLE, "notes.txt": lambda path: path.write_text("x")})
    assert run_job("saliency", ["image=pictures", "model=[patternnet,custom]", *TINY]) == 3
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2 + 2 * len(KINDS)
    lines = without_progress(err).splitlines()
    assert len(lines) == len(UNREADABLE), "each once, for all models"
    for line, name in zip(lines, sorted(UNREADABLE), strict=True):
        assert line.startswith(f"failed: pictures/{name} is no picture that can be read: ")
    assert len(written()) == 2 * 3 * len(KINDS)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_picture_that_is_named_and_cannot_be_read_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make(Path("pictures"), UNREADABLE)
    assert run_job("saliency", [f"image=[sklearn:china.jpg,pictures/{name}]"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and not Path("outputs").exists()
    assert len(err.splitlines()) == 1
    assert err.startswith(f"atlas: image=pictures/{name}: pictures/{name} is no picture that can be read: ")


def test_pictures_of_one_name_do_not_overwrite_each_other() -> None:
    for folder in ("pictures", "pictures/sub"):
        make(Path(folder), {"a.png": lambda path: astronaut().save(path), "a.bmp": KINDS["small.bmp"]})
    rows = look("pictures", category=3).rows
    assert len({row.map for row in rows} | {row.overlay for row in rows}) == len(written()) == 8
    assert rows[2].map == "outputs/saliency/patternnet/sub/a.bmp-3-map.png"


def test_several_methods_have_maps_of_their_own_and_one_panel(capsys: pytest.CaptureFixture[str]) -> None:
    methods = ["gradient", "smoothgrad", "integrated_gradients", "grad_cam"]
    few = ["samples=3", "batch=2", "category=dots", "device=cpu"]
    assert run_job("saliency", ["image=sklearn:china.jpg", f"method=[{','.join(methods)}]", *few]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()[2:]]
    assert ([row[7] for row in rows], without_progress(err)) == (methods, "")
    named = f"china-{CLASSES.index('dots')}"
    stems = [named, *(f"{named}-{method}" for method in methods[1:])]
    files = [f"saliency/patternnet/{stem}-{kind}.png" for stem in stems for kind in ("map", "overlay")]
    assert written() == sorted([*files, f"saliency/patternnet/{named}-panel.png"])
    maps = [np.asarray(Image.open(Path("outputs", path))) for path in files if path.endswith("map.png")]
    assert len({gray.tobytes() for gray in maps}) == 4
    assert all((gray.min(), gray.max()) == (0, 255) for gray in maps)
    (alone,) = look("sklearn:china.jpg", category="dots", out="outputs/alone").rows
    assert np.array_equal(np.asarray(Image.open(alone.map)), maps[0]), "the gradient's is the same beside others"


def test_a_probability_is_told_in_few_digits() -> None:
    assert [percent(share) for share in (1.0, 0.934, 0.5, 0.0042, 1e-7)] == [
        *("100 %", "93 %", "50 %", "0.4 %", "below 0.1 %")
    ]


def test_torch_has_the_threads_of_a_worker_unless_they_are_asked_for() -> None:
    before = torch.get_num_threads()
    try:
        look("sklearn:china.jpg", threads=2)
        assert torch.get_num_threads() == 2
        look("sklearn:china.jpg")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_an_interruption_tells_how_far_it_is_and_keeps_what_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(Path("pictures"), KINDS)

    def stopped(picture: Any, preprocessing: Any) -> torch.Tensor:
        if len(written()) == 6:
            raise StopNow
        return eval_transform(picture, preprocessing)

    monkeypatch.setattr(looker, "eval_transform", stopped)
    assert run_job("saliency", ["image=pictures", "batch=1"]) == 75
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    again = "run the same again to look at all of them"
    assert without_progress(err) == f"stopped: 2 of {len(KINDS)} pictures are looked at; {again}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["category=16"], "category=16: there are 16 classes, 0 to 15 (models.patternnet)"),
        (["category=stripes_46"], "category=stripes_46: no such class; did you mean stripes_45"),
        (["image=nowhere.jpg"], "image=nowhere.jpg: there is no such file or folder"),
        (["image=empty"], "image=empty: there is no picture in this folder"),
        (["model=patternet"], "models.patternet: no model 'patternet'"),
        (["model=[]"], "model=[]: name at least one model"),
        (["batch=0", "device=tpu", "overlay=[1]"], "3 mistakes:"),
        (["out=taken"], "out=taken: is a file; name a folder"),
        (["method=gradcam"], "method=gradcam: no such method; did you mean grad_cam"),
        (["method=[]"], "method=[]: name at least one method; allowed: gradient, smoothgrad"),
        (["method=smoothgrad", "samples=0", "noise=0", "threads=0"], "3 mistakes:"),
        (["layer=conv3"], "layer=conv3: only method=grad_cam reads this"),
        (["layer=conv33", "method=grad_cam"], "layer=conv33: patternnet has no such layer; did you mean conv3"),
        (["layer=logits", "method=grad_cam"], "layer=logits: its maps of patternnet are 1 x 1; Grad-CAM wants"),
        (["categry=3"], "categry=3: no such key; did you mean category"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    Path("taken").touch()
    before = sorted(Path().iterdir())
    picture = [] if any(word.startswith("image=") for word in arguments) else ["image=sklearn:china.jpg"]
    assert run_job("saliency", [*picture, *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith(f"atlas: {said}")) == ("", True), err
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("maps", r"gives a tensor of shape \(1, 4, 30, 30\) for one picture: a row of scores"),
        ("one_score", r"gives a tensor of shape \(1, 1\) for one picture"),
        ("nothing", r"gives an object of type dict without a tensor in it for one picture: a row of scores"),
        ("picky", "cannot look at an image of 32 x 32 pixels: RuntimeError"),
    ],
)
def test_a_model_that_is_no_classifier_is_refused(factory: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^models\.custom {said}"):
        look("sklearn:china.jpg", models={"patternnet": PATTERNNET, **custom(factory)})
    assert not Path("outputs").exists()


def test_a_map_that_shows_nothing_is_black_and_told_of() -> None:
    outcome = look("sklearn:china.jpg", models=custom("blind"))
    assert outcome.notes == [
        f"sklearn:china.jpg, custom: all pixels matter alike to class {outcome.rows[0].category}; its map is black"
    ]
    assert not np.asarray(Image.open(outcome.rows[0].map)).any()
    assert not outcome.failures


def test_scores_that_are_not_finite_give_no_files() -> None:
    outcome = look("sklearn:china.jpg", models=custom("broken"))
    assert outcome.failures == ["sklearn:china.jpg, custom: the score, or its gradient, is not finite"]
    assert not outcome.rows and not Path("outputs").exists()


def test_no_two_models_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref] = []

    def counted(name: str, config: ModelConfig, device: str) -> Any:
        assert not [one for one in held if one() is not None]
        loaded = load(name, config, device)
        held.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(one_model, "load", counted)
    rows = look("sklearn:china.jpg", models=dict.fromkeys(("a", "b", "c"), PATTERNNET)).rows
    assert [row.model for row in rows] == ["a", "b", "c"]
    assert len(held) == 5, "each to be checked, all but the first once more to work"


def test_a_batch_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    make(Path("pictures"), KINDS)
    sizes: list[int] = []

    def small(model: Any, images: torch.Tensor, categories: Any) -> Any:
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("too much")
        return saliency(model, images, categories)

    monkeypatch.setattr(looker, "saliency", small)
    assert len(look("pictures", batch=5).rows) == len(KINDS)
    assert sizes == [5, 2, 2, 2, 1]


def test_an_interruption_leaves_whole_files_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(Path("pictures"), KINDS)
    calls: list[int] = []

    def interrupted(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupted)
    assert run_job("saliency", ["image=pictures"]) == 75
    assert "run the same again" in capsys.readouterr().err
    assert len(written()) == 3 and not list(Path("outputs").rglob("*.part"))
