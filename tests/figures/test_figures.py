"""The sources' figures on a small real atlas: every name, what is read, what is made, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from sweeps import rows_of

from atlas.cli.main import cli
from atlas.figures import NAMES, features, neurons
from atlas.figures.catalogue import FIGURES
from atlas.report.page.panels import Panel, Row

STEPS = "recipe.octaves=[{size: 48, steps: 4, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]"
ASK = ("cluster=inline", "recipe=quick", STEPS, "frames=3", "features=2", "layers=[conv2,conv3]")
EXTRA = {
    "saliency": ("image=[sklearn:china.jpg,sklearn:flower.jpg]",),
    "dream": ("size=48", "recipe=dream_normalized", "recipe.octaves=[{size: null, steps: 6, lr: [0.02, 0.01]}]"),
    "filter-vs-dream": (
        "size=48",
        "recipe=dream_normalized",
        "recipe.octaves=[{size: null, steps: 6, lr: [0.02, 0.01]}]",
    ),
    "models": ("model=[patternnet,twin]", "--config-dir", "conf_of_mine"),
}
MOVING = {"cumulative", "trajectory", "dream"}
SLOW = {"filter-vs-dream"}  # the lab's filter has its own size
LABELLED = {"metric-invariance", "interaction", "neurons"}  # whose images are compared with their labels, below


pytestmark = [pytest.mark.job, pytest.mark.usefixtures("cards_made_here")]


def figure(*words: str) -> Result:
    return CliRunner().invoke(cli, ["figure", *words])


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in NAMES if n not in LABELLED]
)
def test_every_figure_is_drawn_and_shows_something(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(home)
    words = [word for word in ASK if name not in EXTRA or not word.startswith("recipe")]
    done = figure(name, *(words if name in ("dream", "filter-vs-dream") else ASK), *EXTRA.get(name, ()))
    assert_shows_something(name, done)


def assert_shows_something(name: str, done: Result) -> None:
    assert done.exit_code == 0, done.output
    written = [Path(line) for line in done.stdout.splitlines()]
    assert written
    assert all(path.parent == Path("outputs/small/figures") and path.name.startswith(name) for path in written)
    assert {path.suffix for path in written} == ({".png", ".webp"} if name in MOVING else {".png"})
    with Image.open(written[0]) as page:
        assert page.info["Title"]
        assert np.asarray(page.convert("RGB"), float).std((0, 1)).min() > 5
    for path in written:
        if path.suffix == ".webp":
            with Image.open(path) as moving:
                assert getattr(moving, "n_frames", 1) > 1


def test_what_the_atlas_holds_is_read_and_only_the_rest_is_made(fresh: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(fresh.rglob("*")) if path.is_file()}
    read = figure("layer-grid", *ASK, f"out={fresh}")
    assert read.exit_code == 0, read.output
    assert not (fresh / "figures" / "made").exists(), "the atlas holds all of it"
    more = figure("layer-grid", *ASK, f"out={fresh}", "features=3")
    assert more.exit_code == 0, more.output
    made = rows_of(fresh / "figures" / "made", ["layer", "channel"])
    assert sorted(made, key=lambda row: row["layer"]) == [{"layer": n, "channel": 2} for n in ("conv2", "conv3")]
    assert all(path.read_bytes() == content for path, content in before.items()), (
        "an atlas is never changed by a figure"
    )


def test_formats_lie_beside_each_other_and_a_title_is_left_out(fresh: Path) -> None:
    ask = ("layer-grid", *ASK, f"out={fresh}")
    titled = figure(*ask)
    assert titled.exit_code == 0, titled.output
    with Image.open(titled.stdout.strip()) as page:
        tall, title = page.height, page.info["Title"]
    plain = figure(*ask, "format=[png,pdf,svg,pdf]", "title=false")
    assert plain.exit_code == 0, plain.output
    written = [Path(line) for line in plain.stdout.splitlines()]
    assert [path.suffix for path in written] == [".png", ".pdf", ".svg"]
    assert len({path.stem for path in written}) == 1
    with Image.open(written[0]) as page:
        assert page.height < tall and page.info["Title"] == title
    first = [path.read_bytes() for path in written]
    assert first[1].startswith(b"%PDF") and b"<svg" in first[2]
    assert figure(*ask, "format=[png,pdf,svg]", "title=false").exit_code == 0
    assert [path.read_bytes() for path in written] == first


def test_a_trajectory_looks_as_often_as_its_frames_need(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    for frames, steps in ((2, [0, 2]), (4, [0, 1, 2, 3])):
        done = figure("trajectory", *ASK, "layers=[conv2]", "channels=[1]", f"frames={frames}")
        assert done.exit_code == 0, done.output
        made = home / "outputs" / "small" / "figures" / f"traced-{4 // frames}"
        traced = [row for row in rows_of(made, ["channel", "step", "activation"], "traces") if row["channel"] == 1]
        assert [row["step"] for row in traced] == steps
        assert {len(row["activation"]) for row in traced} == {32}


def rows_drawn(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[Row]:
    """The rows of the page of a figure, which is written too."""
    kept: list[Row] = []
    for module in (features, neurons):
        draw = module.draw_panels
        monkeypatch.setattr(
            module, "draw_panels", lambda rows, draw=draw, **options: kept.extend(rows) or draw(rows, **options)
        )
    done = figure(words[0], *ASK, *words[1:])
    assert_shows_something(words[0], done)
    return kept


def image_of(atlas: Path, **wanted: object) -> Image.Image:
    """The one image of an atlas, or of the one beside it, of which all this is true."""
    folders = (atlas, atlas / "figures" / "made")
    rows = [(folder, row) for folder in folders if (folder / "index").exists() for row in rows_of(folder)]
    paths = [folder / row["image"] for folder, row in rows if all(row[key] == wanted[key] for key in wanted)]
    assert len(paths) == 1, wanted
    return Image.open(paths[0])


def same(panel: Panel, image: Image.Image) -> bool:
    return panel.image is not None and panel.image.tobytes() == image.tobytes()


@pytest.mark.parametrize("name", sorted(LABELLED))
def test_each_image_stands_under_its_own_name(fresh: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rows = rows_drawn(monkeypatch, name, *(["channels=[0,1]"] if name == "interaction" else []))
    if name == "metric-invariance":
        for row, metric in zip(rows, ("l1", "l2", "linf"), strict=True):
            assert row.label.endswith(f"metric {metric}")
            for panel in row.panels:
                assert same(panel, image_of(fresh, metric=metric, layer="conv2", channel=int(panel.label)))
    elif name == "interaction":
        one, two, both = rows[0].panels
        assert (one.label, two.label, both.label) == ("conv2:0", "conv3:1", "both")
        assert same(one, image_of(fresh, layer="conv2", channel=0, target="channel"))
        assert same(two, image_of(fresh, layer="conv3", channel=1, target="channel"))
        assert same(both, image_of(fresh, layer="conv2", channel=0, target="joint+patternnet/conv3:1"))
    else:
        for row in rows:
            for panel in row.panels[1:]:
                at, channel = "x".join(panel.label.strip("[]").split(", ")), int(row.label.rpartition(":")[2])
                assert same(panel, image_of(fresh, layer="conv2", channel=channel, target=f"neuron{at}"))


def test_an_atlas_that_is_not_compared_is_left_as_it_is(fresh: Path) -> None:
    before = {path: path.read_bytes() for path in fresh.parent.rglob("*") if path.is_file()}
    refused = figure("similarity", *ASK, "layers=[conv2]", "channels=[0,1]")
    assert refused.exit_code == 2
    assert "not compared; run atlas similarity out=outputs/small" in refused.stderr
    assert {path: path.read_bytes() for path in fresh.parent.rglob("*") if path.is_file()} == before


def test_a_feature_that_cannot_be_made_is_said_and_shown_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    far = "recipe.octaves=[{size: 48, steps: 4, lr: [1e38, 1e38]}]"
    done = figure("layer-grid", "cluster=inline", "recipe=plain", far, "layers=[conv2]", "features=1")
    assert done.exit_code == 3, done.output
    assert "failed: patternnet/conv2:0" in done.stderr
    assert Path(done.stdout.strip()).is_file()


def test_the_names_are_those_of_the_catalogue() -> None:
    assert tuple(FIGURES) == NAMES


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a figure, as atlas figure layer-grid"),
        (("layer-gird",), "figure layer-gird: no such figure; did you mean layer-grid"),
        (("layer-grid", "features=0"), "features=0: a whole number from 1 up"),
        (("cumulative", "frames=1"), "frames=1: a whole number from 2 up"),
        (("layer-grid", "zone=conv"), "zone=conv: patternnet has no such zone; allowed: convolutions, logits"),
        (("models",), "figure models compares several"),
        (("neurons", "seeds=[0,1]"), "seeds=[0, 1]: a figure shows one image of each feature"),
        (("neurons", "metric=[l1,l2]"), "metric=[l1,l2]: a figure shows one image of each feature"),
        (("layer-grid", "target=row"), "target=row: figures choose their targets themselves"),
        (("layer-grid", "dry_run=true"), "dry_run=true: a figure is made or not"),
        (("raw-vs-octaves", "recipe=fourier"), "recipe=fourier: figure raw-vs-octaves takes a recipe of pixels"),
        (("layer-grid", "out=some_file"), "out=some_file: is a file"),
        (("layer-grid", "layers=[conv9]"), "conv9"),
        (("layer-grid", "channels=[900]"), "channels=900"),
        (("saliency", "image=nowhere.jpg"), "image=nowhere.jpg: there is no such file"),
        (("saliency", "category=zebra"), "zebra"),
        (("dream", "image=nowhere.jpg"), "nowhere.jpg"),
        (("layer-grid", "format=pfd"), "format=pfd: no such format; did you mean pdf"),
        (("layer-grid", "format=[]"), "format=[]: name at least one format; allowed: png, pdf, svg"),
        (("layer-grid", "title=perhaps"), "title=perhaps"),
        (("layer-grid", "sede=1"), "sede=1: no such key"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some_file").touch()
    refused = figure(*words, *(("cluster=inline",) if words else ()))
    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr
    assert "Traceback" not in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["some_file"]


def test_the_newest_atlas_that_has_the_model_is_the_one_that_is_meant(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atlas.cli.jobs.figure import newest_with_model
    from atlas.config.compose import compose_model
    from atlas.config.schema import FigureConfig

    monkeypatch.chdir(home)
    other = home / "outputs" / "later"
    other.mkdir(exist_ok=True)
    manifest = json.loads((home / "outputs" / "small" / "atlas.json").read_text())
    manifest["variants"] = [{**variant, "model": "elsewhere"} for variant in manifest["variants"]]
    (other / "atlas.json").write_text(json.dumps(manifest))
    try:
        assert newest_with_model(FigureConfig(models={"patternnet": compose_model("patternnet")})) == "outputs/small"
        assert newest_with_model(FigureConfig(models={"resnet50": compose_model("resnet50")})) is None
    finally:
        shutil.rmtree(other)
