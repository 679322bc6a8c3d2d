"""`atlas names` as a user meets it: rows on stdout, where they come from on stderr, and the exit codes."""

import json

import pytest
from click.testing import CliRunner
from made_atlas import WHOLE, make_atlas
from made_similarity import write_label_names, write_similarity

from atlas.cli.main import cli
from atlas.query.atlas import Atlas


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder whose outputs/ holds an atlas with similarity and one without."""
    folder = tmp_path_factory.mktemp("home")
    paths = make_atlas(folder / "outputs" / "full")
    write_similarity(paths)
    write_label_names(paths)
    make_atlas(folder / "outputs" / "bare", WHOLE)
    return folder


@pytest.fixture
def atlas(home, monkeypatch):
    """Call `atlas …` in that folder."""
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(cli, [*arguments])


def rows(told):
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def test_names_of_all_features_in_the_order_of_layers(atlas):
    told = atlas("names", "--format", "json", "--atlas", "full")
    found = rows(told)
    assert list(found[0]) == ["feature", "name", "auc", "p", "runner_up"]
    assert [row["feature"] for row in found[:4]] == [f"alpha/conv1:{n}" for n in (0, 1, 2, 4)], "3 is dead"
    assert {row["name"] for row in found} == {"zebra", None}, "photographs come before drawings"
    assert "live features have a name, by the pictures of probe natural" in told.stderr


def test_names_of_a_feature_a_layer_a_model_and_a_probe(atlas):
    layer = rows(atlas("names", "--layer", "conv2", "--format", "json", "--atlas", "full"))
    assert {row["feature"].rpartition(":")[0] for row in layer} == {"alpha/conv2"}
    model = rows(atlas("names", "--model", "beta net", "--format", "json", "--atlas", "full"))
    assert {row["feature"].partition("/")[0] for row in model} == {"beta net"}
    (one,) = rows(atlas("names", "alpha/conv2:4", "--probe", "patterns", "--format", "json", "--atlas", "full"))
    assert (one["feature"], one["name"], one["runner_up"]) == ("alpha/conv2:4", "dots", "lion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alpha/conv2:99"], "no feature 'alpha/conv2:99'"),
        (["--layer", "conv3"], "no layer 'conv3' in outputs/full: did you mean conv"),
        (["--model", "alpha", "--layer", "block/0"], "no layer 'block/0' in alpha"),
        (["--model", "alfa"], "no model 'alfa' in outputs/full: did you mean alpha?"),
        (["--probe", "natral"], "no probe 'natral' in outputs/full: did you mean natural?"),
    ],
)
def test_wrong_names_are_refused_with_the_nearest(atlas, arguments, message):
    told = atlas("names", *arguments, "--atlas", "full")
    assert (told.exit_code, told.stdout) == (2, "")
    assert message in told.stderr


def test_a_feature_without_a_row_and_an_atlas_without_names_say_why(atlas):
    dead = atlas("names", "alpha/conv1:3", "--atlas", "full", "--format", "json")
    assert rows(dead) == [] and "alpha/conv1:3 is dead" in dead.stderr
    bare = atlas("names", "--atlas", "bare", "--format", "json")
    assert rows(bare) == []
    assert "probes.natural.folder=DIR" in bare.stderr and "probe=[atlas,patterns]" in bare.stderr


def test_names_from_python_and_sql(home):
    with Atlas(home / "outputs" / "full") as opened:
        assert opened.names("alpha/conv2:4").to_pylist()[0]["name"] == "zebra"
        assert opened.names("alpha/conv2:4", probe="patterns")["name"].to_pylist() == ["dots"]
        assert opened.sql("select count(distinct probe) as n from names")["n"].to_pylist() == [2]
        shown = opened.sql("select distinct name from features where feature = 'alpha/conv2:4'")
        assert shown["name"].to_pylist() == ["zebra"], "photographs before drawings"
        shown = opened.sql("select distinct name from features where feature in ('alpha/conv2:2', 'alpha/conv1:3')")
        assert shown.sort_by("name")["name"].to_pylist() == ["dots", None]
