"""The main job as a user runs it: whole processes, Ray, signals, kill -9, wrong input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import save_file
from sweeps import image_bytes, rows_of

from atlas.cli.job import run_job

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

QUICK = (
    "recipe.octaves=[{size: 48, steps: 70, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]"  # seconds in all: time to be disturbed
)
ASK = ("generate", "layers=[conv1,conv2,conv3]", "channels=0:8", "recipe=quick", QUICK, "cluster.shard_seconds=0.05")


def atlas(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `atlas …` to its end."""
    env = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "atlas", *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def begin(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """Start `atlas …` in a process group of its own, as a shell would."""
    with open(cwd / "said", "w") as said:
        command = [sys.executable, "-m", "atlas", *words]
        return subprocess.Popen(command, cwd=cwd, stdout=said, stderr=said, text=True, start_new_session=True)


def wait_for(path: Path, pattern: str, count: int, seconds: float = 90) -> None:
    """Until so many files are there."""
    end = time.monotonic() + seconds
    while len(list(path.rglob(pattern))) < count:
        assert time.monotonic() < end, f"no {count} {pattern} under {path}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images as a run without Ray makes them."""
    place = tmp_path_factory.mktemp("undisturbed")
    done = atlas(*ASK, "name=a", "cluster=inline", cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "outputs" / "a"


@pytest.mark.xdist_group("ray")
def test_ray_makes_the_same_bytes_as_one_process_and_a_rerun_does_nothing(undisturbed: Path, tmp_path: Path) -> None:
    first = atlas(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert "contact sheets: outputs/a/sheets" in first.stderr
    out = tmp_path / "outputs" / "a"
    assert image_bytes(out) == image_bytes(undisturbed)
    second = atlas(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    assert second.returncode == 0
    assert "nothing to do" in second.stderr
    assert len(rows_of(out)) == 24


@pytest.mark.xdist_group("ray")
def test_kill_nine_of_the_whole_job_loses_nothing_and_changes_no_byte(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "outputs" / "a"
    job = begin(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", 2)
    victims = [job.pid, *(child.pid for child in psutil.Process(job.pid).children(recursive=True))]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    job.wait()
    assert 0 < len(rows_of(out)) < 24, "killed half way"
    again = atlas(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "took over the lock" in again.stderr
    rows = rows_of(out)
    assert len(rows) == len({row["task"] for row in rows}) == 24
    assert image_bytes(out) == image_bytes(undisturbed)
    assert atlas("verify", "outputs/a", cwd=tmp_path).returncode == 0


@pytest.mark.xdist_group("ray")
def test_a_killed_actor_is_replaced_and_its_shard_made_again(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "outputs" / "a"
    job = begin(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", 1)
    status = json.loads((out / "status.json").read_text())
    pids = [int(worker["where"].rpartition(":")[2]) for worker in status["workers"] if ":" in worker["where"]]
    assert pids
    os.kill(pids[0], signal.SIGKILL)
    assert job.wait(timeout=150) == 0, (tmp_path / "said").read_text()
    starts = [line for line in (out / "events.jsonl").read_text().splitlines() if json.loads(line)["event"] == "start"]
    assert len(starts) > len(status["workers"])
    assert image_bytes(out) == image_bytes(undisturbed)


@pytest.mark.xdist_group("ray")
def test_ctrl_c_finishes_what_is_under_way_and_exits_75(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "outputs" / "a"
    job = begin(*ASK, "name=a", "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", 1)
    os.killpg(job.pid, signal.SIGINT)
    code, said = job.wait(timeout=100), (tmp_path / "said").read_text()
    assert code == 75, said
    assert "run the same again to resume" in said
    assert "Traceback" not in said
    assert not (out / "lock").exists()
    assert json.loads((out / "status.json").read_text())["state"] == "interrupted"
    made = len(rows_of(out))
    assert 0 < made < 24
    again = atlas(*ASK, "name=a", "cluster=inline", cwd=tmp_path)
    assert again.returncode == 0
    assert image_bytes(out) == image_bytes(undisturbed)


@pytest.mark.xdist_group("ray")
def test_two_models_in_one_run_are_each_pinned_in_their_own_actor(tmp_path: Path) -> None:
    """GoogLeNet and ResNet-50 with random weights, one small image each."""
    octave = "recipe.octaves=[{size: 64, steps: 2, lr: [0.1, 0.05]}]"
    words = (
        "models.googlenet.weights=none",
        "models.resnet50.weights=none",
        "layers=[conv1.conv,conv1]",
        "channels=0:2",
    )
    done = atlas("generate", "model=[googlenet,resnet50]", *words, octave, "name=two", "cluster.actors=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (tmp_path / "outputs/two/events.jsonl").read_text().splitlines()]
    starts = [(event["slot"], event["model"]) for event in events if event["event"] == "start"]
    first = dict(reversed(starts))  # an actor that is done early may take over the other's model
    assert sorted(first.values()) == ["googlenet", "resnet50"]
    assert {row["model"] for row in rows_of(tmp_path / "outputs/two")} == {"googlenet", "resnet50"}


FACTORY = """
from torch import nn

def net(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Conv2d(width, 5, 3))
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's model: a factory on PYTHONPATH, weights in safetensors, and a config folder."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "own_net.py").write_text(FACTORY)
    sys.path.insert(0, str(tmp_path / "code"))
    try:
        from own_net import net
    finally:
        sys.path.pop(0)
        sys.modules.pop("own_net", None)
    save_file(net().state_dict(), tmp_path / "own.safetensors")
    folder = tmp_path / "my_conf" / "model"
    folder.mkdir(parents=True)
    mine = "# @package models\nmine:\n  source: custom\n  factory: own_net:net\n  weights: own.safetensors\n  input_size: 32\n"
    (folder / "mine.yaml").write_text(mine)
    return tmp_path


def test_a_model_of_ones_own_by_factory_and_by_config_folder(own: Path) -> None:
    variables = {"PYTHONPATH": str(own / "code")}
    small = ("layers=['2']", "recipe=quick", "recipe.octaves=[{size: 24, steps: 3, lr: [0.1, 0.1]}]", "cluster=inline")
    words = ("model=custom", "model.factory=own_net:net", "model.weights=own.safetensors", "model.input_size=32")
    first = atlas("generate", *words, *small, "name=f", cwd=own, **variables)
    assert first.returncode == 0, first.stderr
    second = atlas("generate", "--config-dir", "my_conf", "model=mine", *small, "name=c", cwd=own, **variables)
    assert second.returncode == 0, second.stderr
    by_factory, by_folder = rows_of(own / "outputs/f"), rows_of(own / "outputs/c")
    assert [row["feature"] for row in by_folder] == [f"mine/2:{n}" for n in range(5)]
    assert [row["score"] for row in by_factory] == [row["score"] for row in by_folder], "the same weights"


def test_every_mistake_is_said_at_once_before_anything_is_written(tmp_path: Path) -> None:
    words = ("model=[gogglenet]", "metric=[l7]", "recipe.rescue=many", "modle=3", "channels=x", "seeds=[0,0]")
    done = atlas("generate", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    for part in (
        "did you mean googlenet",
        "metric=l7",
        "recipe.rescue=many",
        "did you mean model",
        "channels='x'",
        "seeds",
    ):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


WRONG = {
    "layer": (["layers=[conv9]"], "did you mean conv"),
    "channel": (["layers=[conv1]", "channels=[99]"], "has 32 channels (0 to 31)"),
    "channel range": (["layers=[conv1]", "channels=0:99"], "has 32 channels"),
    "missing weights": (["models.patternnet.weights=nowhere.safetensors"], "nowhere.safetensors"),
    "weights of another": (["models.patternnet.weights=other.safetensors"], "models.patternnet.weights"),
    "a pickle": (["models.patternnet.weights=evil.pt"], "evil.pt"),
    "a file as folder": (["out=evil.pt"], "is a file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_message(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pickle

    import torch

    class Evil:
        def __reduce__(self) -> tuple:
            return (os.system, (f"touch {tmp_path}/ran",))

    save_file({"weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    words, part = WRONG[case]
    monkeypatch.chdir(tmp_path)
    assert run_job("generate", words) == 2
    message = capsys.readouterr().err
    assert part in message
    assert message.startswith("atlas: ")
    assert len(message.splitlines()) <= 6
    assert not (tmp_path / "outputs").exists()
    assert not (tmp_path / "ran").exists()


def test_a_dry_run_says_what_it_would_cost_and_writes_nothing(tmp_path: Path) -> None:
    done = atlas("generate", "experiment=demo", "dry_run=true", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "464" in done.stdout
    assert "Nothing was written" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_hydra_answers_what_hydra_is_asked(tmp_path: Path) -> None:
    composed = atlas("generate", "model=resnet18", "--cfg", "job", cwd=tmp_path)
    assert "resnet18:" in composed.stdout
    helped = atlas("generate", "--help", cwd=tmp_path)
    assert "recipe: " in helped.stdout
    assert composed.returncode == helped.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_script_of_jobs_is_the_same_command(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "jobs" / "job.py"
    words = [
        sys.executable,
        *(str(script), "generate"),
        "layers=[conv1]",
        "channels=[0]",
        "recipe=quick",
        QUICK,
        "cluster=inline",
        "name=s",
    ]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "outputs" / "s")) == 1


@pytest.mark.xdist_group("ray")  # where the atlas is that it reads
def test_importing_atlas_and_reading_load_neither_torch_nor_ray(undisturbed: Path) -> None:
    code = (
        "import sys, atlas; from atlas.cli.main import cli; import atlas.cli.options\n"
        f"opened = atlas.open({str(undisturbed)!r})\n"
        "assert opened.sql('select count(*) as n from features').to_pylist() == [{'n': 24}]\n"
        "opened.feature('patternnet/conv1:0').image()\n"
        "print(sorted({'torch', 'ray', 'torchvision', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
