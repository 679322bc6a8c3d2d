"""`atlas run` and `atlas similarity` as a user runs them: whole processes, Ray, signals, kill -9,
wrong input.
"""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sweeps import rows_of, run_small

from atlas.cli.job import run_job
from atlas.cli.main import cli
from atlas.store.lock import Lock
from tests.whole_jobs import PATIENCE, atlas, begin, kill_all, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(3 * PATIENCE), pytest.mark.usefixtures("cards_made_here")]

QUICK = ("recipe=quick", "recipe.octaves=[{size: 48, steps: 4, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]")
ASK = ("layers=[conv1,conv2]", "channels=0:8", *QUICK, "name=a")
DEEP = ("layers=[conv1,conv6]", "channels=0:8", *QUICK, "name=a")
MANY = (
    "probe=[atlas,patterns]",
    "probes.patterns.count=3400",
)  # enough of conv6 for Ray (INLINE_SECONDS of the stage runner)
SLOW = ("probe=patterns", "probes.patterns.count=3000", "cluster=inline", "cluster.shard_seconds=0.1")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with outputs/a of 16 images, not compared yet."""
    folder = tmp_path_factory.mktemp("generated")
    assert run_small(folder / "outputs" / "a", "layers=[conv1,conv2]", "channels=0:8").made == 16
    return folder


@pytest.fixture
def here(generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working directory."""
    shutil.copytree(generated / "outputs", tmp_path / "outputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def neighbors(out: Path, measure: str = "profile", probe: str = "atlas") -> list[dict]:
    path = out / f"neighbors/scope=all/measure={measure}/{probe}.parquet"
    return pq.read_table(path, partitioning=None).to_pylist()


def same(rows: list[dict], others: list[dict]) -> None:
    for a, b in zip(rows, others, strict=True):
        for column, value in a.items():
            assert b[column] == (pytest.approx(value, abs=1e-5, rel=1e-5) if isinstance(value, float) else value)


def once(out: Path, probe: str, pictures: int, layers: int = 2) -> None:
    """Every picture has told of every layer, and exactly once."""
    rows = rows_of(out, ["picture", "layer"], folder=f"responses/probe={probe}")
    assert len(rows) == len({(row["picture"], row["layer"]) for row in rows}) == pictures * layers


def test_run_makes_and_compares_and_the_second_time_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first time in a process of its own, with Ray."""
    first = atlas("run", *ASK, "cluster.actors=1", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    out = tmp_path / "outputs" / "a"
    assert "16 features compared" in first.stderr
    assert "similarity maps: outputs/a/maps" in first.stderr
    assert len({row["src"] for row in neighbors(out, "sym")}) == 16
    once(out, "atlas", 16)
    assert (out / "maps/patternnet/conv1/sym.png").exists()
    assert first.stderr.splitlines()[-1] == "outputs/a/site/index.html"
    assert (out / "site/index.html").is_file()
    before = written_at(out)
    monkeypatch.chdir(tmp_path)
    assert run_job("run", list(ASK)) == 0
    messages = capsys.readouterr().err
    assert messages.count("nothing to do") == 2
    assert messages.splitlines()[-1] == "outputs/a/site/index.html"
    assert before == written_at(out)


def written_at(out: Path) -> dict[Path, int]:
    """When each neighbor table and each page's file was written, but for the ledger of these."""
    files = [*(out / "neighbors").rglob("*"), *(out / "site").rglob("*")]
    return {path: path.stat().st_mtime_ns for path in files if path.is_file() and path.name != "made.json"}


@pytest.mark.slow
def test_ray_gives_the_same_tables_as_one_process(tmp_path: Path) -> None:
    generated = atlas("generate", *DEEP, "cluster=inline", cwd=tmp_path)
    assert generated.returncode == 0, generated.stderr
    shutil.copytree(tmp_path / "outputs/a", tmp_path / "outputs/b")
    alone = atlas("similarity", *MANY, "cluster=inline", "name=a", cwd=tmp_path)
    ray = atlas("similarity", *MANY, "name=b", "cluster.actors=2", "cluster.shard_seconds=2", cwd=tmp_path)
    assert (alone.returncode, ray.returncode) == (0, 0), alone.stderr + ray.stderr
    events = [json.loads(line) for line in (tmp_path / "outputs/b/events.jsonl").read_text().splitlines()]
    assert {event["slot"] for event in events if event["event"] == "start"} == {0, 1}, "two actors"
    for probe, pictures in (("atlas", 16), ("patterns", 3400)):
        once(tmp_path / "outputs/b", probe, pictures)
        same(*(neighbors(tmp_path / "outputs" / name, probe=probe) for name in "ab"))
    same(*(neighbors(tmp_path / "outputs" / name, "sym") for name in "ab"))


@pytest.mark.slow
def test_kill_nine_while_pictures_are_looked_at_loses_nothing_and_doubles_nothing(here: Path) -> None:
    out = here / "outputs" / "a"
    job = begin("similarity", *SLOW, "name=a", cwd=here)
    wait_for(out / "responses", "*.parquet", 6)
    kill_all(job)
    rows = rows_of(out, ["picture"], folder="responses")
    assert 0 < len(rows) < 6000, "killed half way"
    again = atlas("similarity", *SLOW, "name=a", cwd=here)
    assert again.returncode == 0, again.stderr
    assert "took over the lock" in again.stderr
    once(out, "patterns", 3000)
    assert len({row["src"] for row in neighbors(out, probe="patterns")}) == 16
    assert not list(out.rglob(".*.part"))
    third = atlas("similarity", *SLOW, "name=a", cwd=here)
    assert "nothing to do" in third.stderr


@pytest.mark.slow
def test_kill_nine_of_a_job_with_actors(tmp_path: Path) -> None:
    out = tmp_path / "outputs" / "a"
    assert atlas("generate", *DEEP, "cluster=inline", cwd=tmp_path).returncode == 0
    words = ("similarity", "name=a", *MANY, "cluster.actors=2", "cluster.shard_seconds=0.5")
    job = begin(*words, cwd=tmp_path)
    wait_for(out / "responses", "*.parquet", 6)
    kill_all(job)
    assert 0 < len(rows_of(out, ["picture"], folder="responses")) < 2 * 3416
    again = atlas(*words, "cluster=inline", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    once(out, "atlas", 16)
    once(out, "patterns", 3400)


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_under_way_and_exits_75(here: Path) -> None:
    out = here / "outputs" / "a"
    job = begin("similarity", *SLOW, "name=a", cwd=here)
    wait_for(out / "responses", "*.parquet", 4)
    os.killpg(job.pid, signal.SIGINT)
    code, messages = job.wait(timeout=PATIENCE), (here / "stderr").read_text()
    assert code == 75, messages
    assert "run the same again to resume" in messages and "Traceback" not in messages
    assert not (out / "lock").exists() and not (out / "neighbors").exists()
    assert json.loads((out / "status.json").read_text())["state"] == "interrupted"
    begun = len(rows_of(out, ["picture"], folder="responses"))
    assert 0 < begun < 6000
    again = atlas("similarity", *SLOW, "name=a", cwd=here)
    assert again.returncode == 0, again.stderr
    once(out, "patterns", 3000)


def test_similarity_alone_takes_the_newest_atlas(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(here / "outputs/a", here / "outputs/older")
    time.sleep(0.05)
    for path in (here / "outputs/a", here / "outputs/a/atlas.json"):
        os.utime(path)
    assert run_job("similarity", []) == 0
    assert "the newest atlas: outputs/a" in capsys.readouterr().err
    assert (here / "outputs/a/neighbors").exists() and not (here / "outputs/older/neighbors").exists()
    similar = CliRunner().invoke(cli, ["similar", "patternnet/conv1:0", "--format", "csv"])
    assert similar.exit_code == 0, similar.stderr
    assert len(similar.stdout.splitlines()) > 5


def test_without_any_atlas_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_job("similarity", []) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


WRONG = {
    "no atlas": (["out=nowhere"], "nowhere is no atlas"),
    "a folder that is no atlas": (["out=outputs"], "outputs is no atlas"),
    "no folder": (["probe=natural"], "probes.natural.folder is missing"),
    "a folder that is not there": (["probe=natural", "probes.natural.folder=gone"], "probes.natural.folder=gone"),
    "a file as folder": (["probe=natural", "probes.natural.folder=messages"], "is no folder"),
    "measure": (["similarity.measures=[foo]"], "similarity.measures=foo"),
    "no measure": (["similarity.measures=[]"], "similarity.measures=[]"),
    "scope": (["similarity.scopes=[layers]"], "did you mean layer"),
    "top": (["similarity.top=0"], "similarity.top=0"),
    "top in letters": (["similarity.top=many"], "similarity.top"),
    "key": (["similarity.topp=3"], "did you mean"),
    "probe": (["probe=pattern"], "did you mean patterns"),
    "count": (["probe=patterns", "probes.patterns.count=1"], "probes.patterns.count=1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_message_before_any_work(
    generated: Path, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (generated / "messages").write_text("")
    before = {path: path.stat().st_mtime_ns for path in generated.rglob("*")}
    words, part = WRONG[case]
    monkeypatch.chdir(generated)
    assert run_job("similarity", [*words, *(() if case.endswith("atlas") else ("name=a",))]) == 2
    printed = capsys.readouterr()
    assert part in printed.err
    assert printed.out == "" and printed.err.startswith("atlas: ")
    assert len(printed.err.splitlines()) <= 6
    assert {path: path.stat().st_mtime_ns for path in generated.rglob("*")} == before


def test_an_atlas_that_is_worked_on_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Lock(here / "outputs/a/lock"):
        assert run_job("similarity", ["name=a", "cluster=inline"]) == 2
    assert f"process {os.getpid()}" in capsys.readouterr().err
