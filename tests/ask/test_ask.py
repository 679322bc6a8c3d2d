"""What a picture drives: the atlas's own images ask for their own features, a gray one for none, and each says where."""

import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.stats import norm
from sklearn.datasets import load_sample_image

from atlas.cli.main import cli
from atlas.query.asking import CannotAsk
from atlas.query.atlas import Atlas
from atlas.query.names import UnknownName

pytestmark = pytest.mark.job

COLUMNS = ["feature", "z", "response", "rank", "x0", "y0", "x1", "y1", "name"]
ALL = 1000


def test_an_own_image_asks_its_own_feature_first(opened: Atlas) -> None:
    """METHODS 9: in at least 95 % of the live features whose self_rank is 1."""
    rows = opened.sql("SELECT feature, image FROM features WHERE self_rank = 1 AND status = 'ok'").to_pylist()
    assert len(rows) >= 25
    first = [opened.ask(opened.path / row["image"], 1)["feature"][0].as_py() == row["feature"] for row in rows]
    assert sum(first) >= 0.95 * len(rows)


def test_an_own_image_does_what_similarity_saw(opened: Atlas) -> None:
    for feature in ("patternnet/conv2:3", "patternnet/logits:5"):
        told = opened.ask(opened.feature(feature).image(), ALL, probe="atlas").to_pylist()
        seen = opened.sql(
            f"SELECT layer, mean FROM responses WHERE probe = 'atlas' AND feature = '{feature}'"
        ).to_pylist()
        means = {row["layer"]: row["mean"] for row in seen}
        moments = {row["feature"]: row for row in opened.sql("FROM moments WHERE probe = 'atlas'").to_pylist()}
        assert {row["feature"] for row in told} == set(moments)
        for row in told:
            standard = moments[row["feature"]]
            assert row["response"] == pytest.approx(means[standard["layer"]][standard["channel"]], rel=1e-4, abs=1e-5)
            z = (row["response"] - standard["mu"]) / standard["sigma"]
            assert row["z"] == pytest.approx(z, rel=1e-3, abs=1e-3)


def test_a_picture_that_is_all_gray_has_no_z_above_chance(opened: Atlas) -> None:
    """Chance: the highest of as many normal deviates as there are features is above this once in twenty times."""
    for gray in (64, 128, 192):
        z = opened.ask(Image.new("RGB", (90, 60), (gray,) * 3), ALL, probe="patterns")["z"].to_numpy()
        assert z.max() < norm.isf(0.05 / len(z))


def test_rows_are_ordered_by_z_and_ranked(opened: Atlas) -> None:
    told = opened.ask("sklearn:china.jpg", 12)
    assert told.column_names == COLUMNS
    z = told["z"].to_pylist()
    assert len(z) == 12 and z == sorted(z, reverse=True) and told["rank"].to_pylist() == list(range(1, 13))
    assert opened.ask("sklearn:china.jpg", ALL)["feature"].to_pylist()[:12] == told["feature"].to_pylist()


def test_only_what_is_asked_for(opened: Atlas) -> None:
    layer = opened.ask("sklearn:flower.jpg", ALL, layer="conv4", model="patternnet").to_pylist()
    assert {row["feature"].partition(":")[0] for row in layer} == {"patternnet/conv4"}
    every = {row["feature"]: row["z"] for row in opened.ask("sklearn:flower.jpg", ALL).to_pylist()}
    for row in layer:
        assert row["z"] == pytest.approx(every[row["feature"]], abs=1e-4)
    assert opened.ask("sklearn:flower.jpg", 1).schema.metadata == {b"probe": b"atlas"}


def test_names_are_those_of_the_features(opened: Atlas) -> None:
    rows = opened.sql("SELECT DISTINCT feature, name FROM features").to_pylist()
    named = {row["feature"]: row["name"] for row in rows}
    told = opened.ask("sklearn:flower.jpg", ALL).to_pylist()
    assert {row["feature"]: row["name"] for row in told} == {row["feature"]: named[row["feature"]] for row in told}
    assert named["patternnet/logits:5"] == "dots"


def test_the_box_is_where_the_feature_is_driven(opened: Atlas) -> None:
    """A picture whose other pixels are changed drives the place as before: seen by the highest position alone."""
    picture = Image.fromarray(load_sample_image("china.jpg")).crop((40, 0, 240, 128))
    for row in opened.ask(picture, 6, layer="conv2").to_pylist():
        box = row["x0"], row["y0"], row["x1"], row["y1"]
        assert 36 <= box[0] < box[2] <= 164 and 0 <= box[1] < box[3] <= 128, "within the square in the middle"
        other = Image.new("RGB", picture.size, (128, 128, 128))
        margin = 4  # pixels that the scaling to half the size mixes
        grown = (max(0, box[0] - margin), max(0, box[1] - margin), box[2] + margin, box[3] + margin)
        other.paste(picture.crop(grown), grown[:2])
        again = {r["feature"]: r for r in opened.ask(other, ALL, layer="conv2").to_pylist()}[row["feature"]]
        if again["response"] < row["response"]:
            assert (again["x0"], again["y0"]) == box[:2], "nothing gray drives it more"


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_pictures_of_any_kind_are_taken(opened: Atlas, mode: str) -> None:
    assert opened.ask(Image.new("RGB", (40, 200), (200, 30, 30)).convert(mode), 1).num_rows == 1


def test_the_same_in_any_file(opened: Atlas, tmp_path: Path) -> None:
    picture = Image.fromarray(load_sample_image("flower.jpg"))
    for name in ("flower.png", "flower.bmp"):
        picture.save(tmp_path / name)
        assert opened.ask(str(tmp_path / name), 5).equals(opened.ask("sklearn:flower.jpg", 5))


def test_threads_take_turns(opened: Atlas) -> None:
    wanted = opened.ask("sklearn:china.jpg", 3).to_pylist()
    told: list[list[dict]] = []
    work = [
        threading.Thread(target=lambda: told.append(opened.ask("sklearn:china.jpg", 3).to_pylist())) for _ in range(4)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert told == [wanted] * 4


def test_what_cannot_be_asked_is_one_sentence(opened: Atlas, tmp_path: Path) -> None:
    (tmp_path / "no.jpg").write_text("no picture")
    for picture, words in (
        (tmp_path / "nothing.jpg", "there is no such file"),
        (tmp_path / "no.jpg", "is no picture that can be read"),
        ("sklearn:chine.jpg", "did you mean sklearn:china.jpg"),
        ("", "the path of a picture"),
    ):
        with pytest.raises(CannotAsk, match=words) as told:
            opened.ask(picture)
        assert "\n" not in str(told.value)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(CannotAsk, match="is a folder: name one picture"):
        opened.ask(tmp_path)
    for options, words in (
        ({"layer": "conv5"}, "no layer 'conv5'"),
        ({"model": "resnet50"}, "no model 'resnet50'"),
        ({"probe": "natural"}, "no probe 'natural'"),
    ):
        with pytest.raises(UnknownName, match=words):
            opened.ask("sklearn:china.jpg", **options)
    with pytest.raises(ValueError, match="top is 0"):
        opened.ask("sklearn:china.jpg", 0)


def test_other_weights_are_refused(changed: Path) -> None:
    for config in changed.glob("config/*/config.yaml"):
        config.write_text(config.read_text().replace("weights: default", "weights: none"))
    with (
        Atlas(changed) as atlas,
        pytest.raises(CannotAsk, match=r"was made with patternnet of default@\w+, and here it is of none"),
    ):
        atlas.ask("sklearn:china.jpg")


def test_before_similarity_it_is_said_what_to_run(changed: Path) -> None:
    (changed / "moments.parquet").unlink()
    told = CliRunner().invoke(cli, ["ask", "sklearn:china.jpg", "--atlas", str(changed)])
    assert (told.exit_code, told.stdout) == (2, "")
    assert f"atlas similarity out={changed}" in told.stderr


def test_the_command_answers_the_same(opened: Atlas) -> None:
    told = CliRunner().invoke(
        cli, ["ask", "sklearn:flower.jpg", "--top", "2", "--format", "csv", "--atlas", str(opened.path)]
    )
    assert told.exit_code == 0
    head, first, _ = told.stdout.splitlines()
    assert head == ",".join(COLUMNS)
    assert first.startswith(opened.ask("sklearn:flower.jpg", 1)["feature"][0].as_py())
    assert "compared with the pictures of probe atlas" in told.stderr
