"""similar, match and export as a user meets them: data on stdout, what it means on stderr, and the exit codes."""

import csv
import io
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from made_atlas import WHOLE, Made, make_atlas
from made_similarity import write_similarity

from atlas.cli.main import cli

LIGHT = """
import shlex, sys
from atlas.cli.main import cli
for text in ("similar alpha/conv1:0", "match alpha 'beta net' --top 1", "names alpha/conv1:0"):
    cli.main([*shlex.split(text), "--atlas", "full"], standalone_mode=False)
    heavy = {"torch", "ray", "hydra", "omegaconf", "PIL", "pandas", "scipy"} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder whose outputs/ holds an atlas with similarity and one without."""
    folder = tmp_path_factory.mktemp("home")
    write_similarity(make_atlas(folder / "outputs" / "full"))
    make_atlas(folder / "outputs" / "bare", WHOLE)
    return folder


@pytest.fixture
def atlas(home, monkeypatch):
    """Call `atlas …` in that folder."""
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_similar_for_people(atlas):
    told = atlas("similar", "alpha/conv2:3", "--top", "3", "--atlas", "full")
    assert told.exit_code == 0
    head, _, first, *_ = told.stdout.splitlines()
    assert head.split() == ["rank", "dst", "score", "score_rev", "rank_rev", "mutual", "baseline", "excess"]
    assert first.split()[:2] == ["1", "alpha/conv2:2"]
    assert told.stderr.splitlines() == [
        "alpha/conv2:3, nearest in its layer: scope layer, measure sym, probe atlas; "
        "baseline: the score against rotated copies"
    ]


def test_similar_for_machines(atlas):
    told = atlas("similar", "alpha/conv2:3", "--to", "beta net", "--format", "json", "--atlas", "full")
    rows = json.loads(told.stdout)
    assert len(rows) == 10
    assert (rows[0]["scope"], rows[0]["measure"], rows[0]["probe"]) == ("other", "profile", "atlas")
    assert rows[0]["image"].endswith(".png")
    assert told.stderr == ""
    lines = atlas(
        "similar", "alpha/conv2:3", "--scope", "all", "--measure", "raw", "--format", "csv", "--atlas", "full"
    )
    assert {row["measure"] for row in csv.DictReader(io.StringIO(lines.stdout))} == {"raw"}
    data = atlas("similar", "alpha/conv2:3", "--opposite", "--format", "parquet", "--atlas", "full").stdout_bytes
    assert pq.read_table(io.BytesIO(data))["rank"].to_pylist() == [1, 2, 3, 4, 5]


def test_fewer_than_asked_for(atlas):
    told = atlas("similar", "alpha/conv2:3", "--scope", "all", "--top", "50", "--atlas", "full")
    assert "20 of 50: similarity keeps the 20 first of each list" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alpha/conv1:3", "--atlas", "full"), "dead: no gradient reaches it"),
        (("beta net/block/0:19", "--atlas", "full"), "no image yet"),
        (("alpha/conv1:0", "--atlas", "bare"), "run `atlas similarity out=outputs/bare`"),
    ],
)
def test_an_empty_table_and_why(atlas, arguments, words):
    told = atlas("similar", *arguments, "--format", "json")
    assert (told.exit_code, told.stdout) == (0, "[]\n")
    assert words in told.stderr


def test_match_and_what_it_comes_to(atlas):
    told = atlas("match", "alpha", "beta net", "--mutual", "--atlas", "full", "--format", "json")
    assert all(row["mutual"] for row in json.loads(told.stdout))
    for words in ("mean score 0.", "baseline 0.300", "excess 0.", "% mutual", "with a partner one to one"):
        assert words in told.stderr
    few = atlas("match", "alpha", "beta net", "--top", "2", "--format", "json", "--atlas", "full")
    assert len(json.loads(few.stdout)) == 2
    assert few.stderr == told.stderr, "the sum is of all matches, whichever are shown"


@pytest.mark.parametrize("form", ["csv", "hf", "embedding-atlas"])
def test_export(atlas, tmp_path, form):
    told = atlas("export", form, str(tmp_path / "out"), "--atlas", "full")
    assert (told.exit_code, told.stdout) == (0, "")
    assert str(tmp_path / "out") in told.stderr
    again = atlas("export", form, str(tmp_path / "out"), "--atlas", "full")
    assert again.exit_code == 2
    assert "not an empty folder" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("similar", "alpha/conv9:0"), "did you mean alpha/conv"),
        (("similar", "alpha/conv1:0", "--measure", "cosine"), "allowed: raw, z, drive, sym, profile"),
        (("similar", "alpha/conv1:0", "--scope", "modle"), "did you mean model"),
        (("similar", "alpha/conv1:0", "--to", "beta"), "did you mean beta net"),
        (("similar", "alpha/conv1:0", "--probe", "natural"), "no probe 'natural'"),
        (("similar", "alpha/conv1:0", "--top", "0"), "0 is not in the range"),
        (("match", "alpha", "gamma"), "no model 'gamma'"),
        (("match", "alpha", "alpha"), "two different models"),
        (("match", "conv1", "conv2"), "'conv1' is a layer of alpha, and a model is to be named"),
        (("similar", "alpha/conv1:0", "--to", "beta net/block/0"), "'beta net/block/0' is a layer of beta net"),
        (("export", "xml", "out"), "xml"),
    ],
)
def test_what_does_not_exist_is_refused(atlas, arguments, words):
    told = atlas(*arguments, "--atlas", "full")
    assert told.exit_code == 2
    assert words in told.stderr
    assert told.stdout == ""


def test_a_match_is_of_two_models_and_an_atlas_of_one_has_none(atlas, home):
    make_atlas(home / "outputs" / "single", (Made("net", "conv", 2, 2),))
    for models in (("conv", "conv2"), ("net", "net"), ("net", "other")):
        told = atlas("match", *models, "--atlas", "single")
        assert told.exit_code == 2
        assert "a match is of two models, and outputs/single holds net alone" in told.stderr
        assert "`atlas pairs --atlas outputs/single --scope model`" in told.stderr


def test_export_before_similarity(atlas, tmp_path):
    told = atlas("export", "embedding-atlas", str(tmp_path / "out"), "--atlas", "bare")
    assert told.exit_code == 2
    assert "atlas similarity" in told.stderr
    assert not list(tmp_path.iterdir())


def test_no_command_loads_what_it_does_not_need(home):
    call = [sys.executable, "-X", "utf8", "-c", LIGHT]
    done = subprocess.run(call, cwd=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
