"""The reading commands as a user meets them: data on stdout, messages on stderr, and the exit codes."""

import io
import json
import subprocess
import sys

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from made_atlas import WHOLE, make_atlas, write_status

from atlas.cli.main import cli
from atlas.store.lock import Lock

LIGHT = """
import shlex, sys
from atlas.cli.main import cli
for text in ("status", "verify", "show alpha/conv1:0", "sql 'from features limit 1'"):
    cli.main(shlex.split(text), standalone_mode=False)
    heavy = {"torch", "ray", "hydra", "omegaconf", "obstore", "fsspec"} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder whose outputs/ holds a half and a whole atlas."""
    folder = tmp_path_factory.mktemp("home")
    make_atlas(folder / "outputs" / "half")
    make_atlas(folder / "outputs" / "whole", WHOLE)
    return folder


@pytest.fixture
def atlas(home, monkeypatch):
    """Call `atlas …` in that folder."""
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_status_for_people(atlas, home):
    write_status(make_atlas(home / "outputs" / "half"), "running")
    told = atlas("status", "half")
    assert told.exit_code == 0
    for words in ("interrupted", "rerun to resume", "72 of 80 images", "2 failed", "block/0"):
        assert words in told.stdout
    assert "failures" in told.stderr


def test_status_while_a_driver_lives(atlas, home):
    paths = make_atlas(home / "outputs" / "half")
    write_status(paths, "running")
    with Lock(paths.lock):
        told = atlas("status", "outputs/half").stdout
    for words in ("running", "3.5/s", "1:15 left", "node:41", "beta net/block/0"):
        assert words in told


def test_status_for_machines(atlas):
    state = json.loads(atlas("status", "half", "--format", "json").stdout)
    assert state["total"]["left"] == 8
    assert [row["layer"] for row in state["layers"]] == ["conv1", "conv2", "block/0"]
    rows = [json.loads(line) for line in atlas("status", "--atlas", "half", "--format", "jsonl").stdout.splitlines()]
    assert rows == state["layers"]


def test_verify_says_it_by_exit_code(atlas):
    whole = atlas("verify", "whole")
    assert (whole.exit_code, whole.stdout) == (0, "")
    assert "whole: 12 images planned" in whole.stderr
    half = atlas("verify", "half")
    assert half.exit_code == 3
    assert "4 images are left to do" in half.stdout
    assert json.loads(atlas("verify", "half", "--format", "json").stdout)["whole"] is False
    assert json.loads(atlas("verify", "whole", "--format", "json").stdout)["problems"] == []


def test_verify_finds_a_changed_image(atlas, tmp_path):
    paths = make_atlas(tmp_path / "harmed", WHOLE)
    (paths.root / "images/alpha/conv1/l1/0.png").write_bytes(b"other")
    told = atlas("verify", str(paths.root))
    assert told.exit_code == 1
    assert "images/alpha/conv1/l1/0.png" in told.stdout
    paths.manifest.write_text("{")
    assert atlas("verify", str(paths.root)).exit_code == 1


def test_show_prints_rows_and_draws_a_sheet(atlas, home):
    told = atlas("show", "alpha/conv1:3", "--atlas", "half", "--format", "json")
    assert told.exit_code == 0
    assert [row["status"] for row in json.loads(told.stdout)] == ["dead", "dead"]
    assert "contact sheet: outputs/half/sheets/alpha/conv1/feature-3.png" in told.stderr
    assert (home / "outputs/half/sheets/alpha/conv1/feature-3.png").is_file()
    failed = atlas("show", "alpha/conv2:5", "--atlas", "half")
    assert "failed: alpha/conv2:5 l1 seed 0: NonFinite: no longer finite" in failed.stderr
    assert "2 of its images are left to do" in atlas("show", "beta net/block/0:19", "--atlas", "half").stderr


def test_show_opens_the_sheet(atlas, monkeypatch):
    opened = []
    monkeypatch.setattr(click, "launch", lambda url: opened.append(url) or 0)
    assert atlas("show", "alpha/conv1:1", "--atlas", "half", "--open").exit_code == 0
    assert opened == ["outputs/half/sheets/alpha/conv1/feature-1.png"]


def test_sql_in_every_format(atlas):
    ask = ("sql", "select feature, score from features where metric = 'l1' order by all limit 2", "--atlas", "half")
    rows = [{"feature": "alpha/conv1:0", "score": 0.5}, {"feature": "alpha/conv1:1", "score": 1.5}]
    assert json.loads(atlas(*ask, "--format", "json").stdout) == rows
    assert atlas(*ask, "--format", "csv").stdout == "feature,score\nalpha/conv1:0,0.5\nalpha/conv1:1,1.5\n"
    assert pq.read_table(io.BytesIO(atlas(*ask, "--format", "parquet").stdout_bytes)).to_pylist() == rows
    assert atlas(*ask).stdout.splitlines()[2].split() == ["alpha/conv1:0", "0.5"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "alpha/conv9:0", "--atlas", "half"), "did you mean alpha/conv"),
        (("show", "nonsense", "--atlas", "half"), "model/layer:channel"),
        (("sql", "select * from feature", "--atlas", "half"), "did you mean features"),
        (("sql", "copy features to 'x.csv'", "--atlas", "half"), "refused"),
        (("sql", "selec", "--atlas", "half"), "syntax error"),
        (("status", "hlaf"), "did you mean half"),
        (("verify", "."), "no atlas.json"),
        (("status", "--format", "xml"), "xml"),
    ],
)
def test_what_does_not_exist_is_refused(atlas, arguments, words):
    told = atlas(*arguments)
    assert told.exit_code == 2
    assert words in told.stderr
    assert told.stdout == ""


def test_no_atlas_at_all(atlas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (("status",), ("verify",), ("sql", "select 1"), ("show", "a/b:0")):
        told = atlas(*command)
        assert told.exit_code == 2
        assert "atlas run" in told.stderr


def test_a_damaged_file_is_named(atlas, tmp_path):
    paths = make_atlas(tmp_path / "torn", WHOLE)
    victim = next(paths.index.rglob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-20])
    told = atlas("sql", "select sum(score) from features", "--atlas", str(paths.root))
    assert told.exit_code == 1
    assert victim.name in told.stderr


def test_no_command_loads_torch_or_ray(home):
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
