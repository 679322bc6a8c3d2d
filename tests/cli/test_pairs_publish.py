"""`atlas pairs`, `atlas publish` and `atlas show --card` as a user meets them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from made_atlas import WHOLE, make_atlas, write_names
from made_similarity import write_similarity

from atlas.cli.main import cli
from atlas.query.atlas import Atlas
from atlas.report.site.encoding import value_of


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder whose outputs/ holds an atlas with similarity and one without."""
    folder = tmp_path_factory.mktemp("home")
    write_similarity(make_atlas(folder / "outputs" / "full"))
    make_atlas(folder / "outputs" / "bare", WHOLE)
    return folder


@pytest.fixture
def atlas(home, monkeypatch):
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(cli, [*arguments])


@pytest.mark.parametrize("scope", ["layer", "model", "other"])
def test_pairs_are_named_once_the_furthest_beyond_chance_first(atlas, scope):
    told = atlas("pairs", "--scope", scope, "--top", "500", "--format", "json", "--atlas", "full")
    assert told.exit_code == 0, told.output
    rows = json.loads(told.stdout)
    columns = ["src", "dst", "measure", "score", "baseline", "excess", "mutual", "src_name", "dst_name"]
    assert list(rows[0]) == columns
    assert {row["measure"] for row in rows} == {"sym" if scope == "layer" else "profile"}
    assert len({frozenset((row["src"], row["dst"])) for row in rows}) == len(rows)
    excess = [row["excess"] for row in rows]
    assert excess == pytest.approx([row["score"] - row["baseline"] for row in rows], abs=1e-5)
    assert excess == pytest.approx(sorted(excess, reverse=True), abs=1e-5)
    with Atlas("outputs/full") as opened:
        every = opened.sql(f"SELECT src, dst FROM neighbors WHERE scope = '{scope}' AND measure = 'sym' AND sign = 1")
    assert {frozenset((row["src"], row["dst"])) for row in rows} == {
        frozenset(row.values()) for row in every.to_pylist()
    }


def test_pairs_have_both_names_and_a_table_for_people_only_those_there_are(atlas, home):
    paths = make_atlas(home / "outputs" / "named")
    write_similarity(paths)
    write_names(paths, {"alpha/conv2:0": "zebra"})
    rows = json.loads(atlas("pairs", "--top", "500", "--format", "json", "--atlas", "named").stdout)
    names = [(row[side], row[f"{side}_name"]) for row in rows for side in ("src", "dst")]
    assert {name for feature, name in names if feature == "alpha/conv2:0"} == {"zebra"}
    assert {name for feature, name in names if feature != "alpha/conv2:0"} == {None}
    assert "zebra" in atlas("pairs", "--top", "500", "--atlas", "named").stdout
    assert "_name" not in atlas("pairs", "--atlas", "full").stdout


def test_pairs_of_a_model_and_what_is_wrong(atlas):
    rows = json.loads(atlas("pairs", "--model", "beta net", "--format", "json", "--atlas", "full").stdout)
    assert {row["src"].partition("/")[0] for row in rows} == {"beta net"}
    assert len(rows) == 20
    told = atlas("pairs", "--model", "gamma", "--atlas", "full")
    assert (told.exit_code, "no model 'gamma'" in told.stderr) == (2, True)
    told = atlas("pairs", "--scope", "planet", "--atlas", "full")
    assert (told.exit_code, "no scope 'planet'" in told.stderr) == (2, True)
    told = atlas("pairs", "--atlas", "bare", "--format", "json")
    assert (told.exit_code, json.loads(told.stdout)) == (0, [])
    assert "have not been compared by probe atlas yet" in told.stderr


def test_publish_tells_the_size_first_and_refuses_what_it_cannot(atlas, tmp_path: Path):
    told = atlas("publish", str(tmp_path / "p"), "--atlas", "full")
    assert told.exit_code == 0, told.output
    said = told.stderr.splitlines()
    assert said[0].startswith("publish: ") and "pictures of 224 px, about " in said[0]
    assert said[-1] == str(tmp_path / "p" / "index.html") and (tmp_path / "p" / ".nojekyll").exists()
    again = atlas("publish", str(tmp_path / "p"), "--atlas", "full")
    assert (again.exit_code, "is not an empty folder" in again.stderr) == (2, True)
    assert "publish:" not in again.stderr, "before anything is written"
    store = atlas("publish", "s3://bucket/p", "--atlas", "full")
    assert (store.exit_code, "s3://bucket/p is no folder of this machine" in store.stderr) == (2, True)
    assert not Path("s3:").exists()
    small = atlas("publish", str(tmp_path / "q"), "--max", "1KB", "--atlas", "full")
    assert (small.exit_code, "--max allows 0.0 MB" in small.stderr) == (2, True)
    wrong = atlas("publish", str(tmp_path / "q"), "--max", "much", "--atlas", "full")
    assert (wrong.exit_code, "'much' is no size: write 900MB" in wrong.stderr) == (2, True)
    assert not (tmp_path / "q").exists()


def test_what_is_published_names_the_atlas_wherever_it_was_typed(atlas, home, tmp_path: Path, monkeypatch):
    shutil.copytree(home / "outputs" / "bare", tmp_path / "bare")
    monkeypatch.chdir(tmp_path / "bare")
    (tmp_path / "bare/images/alpha/conv1/l1/1.png").unlink()
    assert atlas("publish", "../public", "--atlas", ".").exit_code == 0
    told = value_of((tmp_path / "public/data/atlas.js").read_bytes())
    assert (told["root"], told["compare"]) == (told["name"], f"atlas similarity out={told['name']}")
    commands = [part for note in told["notes"] for part in note[1::2]]
    assert f"atlas verify --atlas {told['name']}" in commands
    assert any("images/alpha/conv1/l1/1.png" in note[0] for note in told["notes"])


def test_show_writes_a_card(atlas, tmp_path: Path):
    told = atlas("show", "alpha/conv1:1", "--card", str(tmp_path / "c.svg"), "--atlas", "full")
    assert told.exit_code == 0, told.output
    assert f"card: {tmp_path / 'c.svg'}" in told.stderr and (tmp_path / "c.svg").read_text().startswith("<svg")
    told = atlas("show", "alpha/conv1:1", "--card", str(tmp_path / "c.pdf"), "--atlas", "full")
    assert (told.exit_code, "'c.pdf' ends in neither .svg nor .png" in told.stderr) == (2, True)
