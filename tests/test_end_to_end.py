"""The main job as a user runs it: whole processes, Ray, signals, kill -9, wrong input."""

import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import save_file
from sweeps import image_bytes, patternnet_card, rows_of, sweep

from atlas.cli.job import run_job
from atlas.generate.job import generate
from atlas.query.verify.verify import verify
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import make_plan
from tests.whole_jobs import PATIENCE, atlas, begin, kill_all, run_python, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(3 * PATIENCE), pytest.mark.usefixtures("cards_made_here")]

JOBS = Path(__file__).parents[1] / "jobs"
# seconds in all: time to be disturbed
QUICK = "recipe.octaves=[{size: 48, steps: 50, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]"
ASK = ("layers=[conv1,conv2,conv3]", "channels=0:8", "recipe=quick", QUICK, "cluster.shard_seconds=0.05")
IMAGES = 24


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas as this process makes it, without Ray."""
    out = tmp_path_factory.mktemp("undisturbed") / "a"
    config = sweep(*ASK, "cluster=inline", out=out)
    assert generate(config, make_plan(config, {"patternnet": patternnet_card()}), []).made == IMAGES
    return out


def test_ray_makes_the_same_bytes_though_an_actor_is_killed_and_a_rerun_does_nothing(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The actor is replaced and its shard made again."""
    out = tmp_path / "outputs" / "a"
    job = begin("generate", *ASK, "name=a", "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", 1)
    status = json.loads((out / "status.json").read_text())
    pids = [int(worker["where"].rpartition(":")[2]) for worker in status["workers"] if ":" in worker["where"]]
    assert pids
    assert listening(job.pid) == {"127.0.0.1"}
    os.kill(pids[0], signal.SIGKILL)
    code, messages = job.wait(timeout=PATIENCE), (tmp_path / "stderr").read_text()
    assert code == 0, messages
    assert (tmp_path / "stdout").read_text() == ""
    assert "contact sheets: outputs/a/sheets" in messages
    starts = [line for line in (out / "events.jsonl").read_text().splitlines() if json.loads(line)["event"] == "start"]
    assert len(starts) > len(status["workers"])
    assert image_bytes(out) == image_bytes(undisturbed)
    monkeypatch.chdir(tmp_path)
    assert run_job("generate", [*ASK, "name=a", "cluster=local"]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert len(rows_of(out)) == IMAGES


def listening(pid: int) -> set[str]:
    """The addresses on which a job and what it has started wait for connections."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    sockets = [each for process in processes for each in process.net_connections() if each.status == "LISTEN"]
    return {each.laddr.ip.removeprefix("::ffff:") for each in sockets}


POISON = """
import os
import torch
from torch import nn

class Poison(torch.autograd.Function):
    @staticmethod
    def forward(ctx, maps):
        return maps.clone()

    @staticmethod
    def backward(ctx, grad):
        if grad[:, 3].any():
            os._exit(1)
        if grad[:, 5].any():
            raise OSError(28, "the model's own")
        return grad

class Poisoned(nn.Module):
    def forward(self, maps):
        return Poison.apply(maps)

def net():
    net = nn.Sequential()
    net.conv1 = nn.Sequential(nn.Conv2d(3, 16, 3), Poisoned())
    return net
"""
POISONED = """# @package models
poisoned:
  source: custom
  factory: poison_net:net
  weights: none
  input_size: 32
"""


@pytest.mark.slow
def test_two_models_are_pinned_each_in_its_actor_and_an_item_that_kills_its_own_is_a_failure(tmp_path: Path) -> None:
    """PatternNet beside a model of which one channel kills the process and another raises what the storage would."""
    (tmp_path / "poison_net.py").write_text(POISON)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "poisoned.yaml").write_text(POISONED)
    variables = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    models = ("patternnet", "poisoned")
    octave = "recipe.octaves=[{size: 24, steps: 3, lr: [0.1, 0.1]}]"
    words = ("--config-dir", str(tmp_path), "model=[patternnet,poisoned]", "layers=[conv1]", "channels=0:16")
    jobs = ("recipe=quick", octave, "name=two", "cluster.actors=2")
    done = atlas("generate", *words, *jobs, cwd=tmp_path, **variables)
    assert done.returncode == 3, done.stderr
    out = tmp_path / "outputs" / "two"
    reasons = {(row["model"], row["channel"]): row["error_type"] for row in rows_of(out, folder="failures")}
    assert reasons == {("poisoned", 3): "ActorDied", ("poisoned", 5): "OSError"}
    every = {(model, channel) for model in models for channel in range(16)}
    assert {(row["model"], row["channel"]) for row in rows_of(out)} == every - set(reasons)
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert sum(event.get("what") == "Died" for event in events) <= 4
    starts = [(event["slot"], event["model"]) for event in events if event["event"] == "start"]
    # an actor that is done early may take over the other's model
    first = dict(reversed(starts))
    assert sorted(first.values()) == sorted(models)


@pytest.mark.slow
def test_kill_nine_of_the_whole_job_and_then_ctrl_c_lose_nothing_and_change_no_byte(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "outputs" / "a"
    words = ("generate", *ASK, "name=a")
    job = begin(*words, "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", 2)
    kill_all(job)
    kept, files = len(rows_of(out)), len(list((out / "index").rglob("*.parquet")))
    assert 0 < kept < IMAGES, "killed half way"
    job = begin(*words, "cluster=local", cwd=tmp_path)
    wait_for(out / "index", "*.parquet", files + 1)
    os.killpg(job.pid, signal.SIGINT)
    code, messages = job.wait(timeout=PATIENCE), (tmp_path / "stderr").read_text()
    assert code == 75, messages
    assert "took over the lock" in messages
    assert "run the same again to resume" in messages
    assert "Traceback" not in messages
    assert not (out / "lock").exists()
    assert json.loads((out / "status.json").read_text())["state"] == "interrupted"
    assert kept < len(rows_of(out)) < IMAGES, "what was under way is finished, and nothing else is begun"
    monkeypatch.chdir(tmp_path)
    assert run_job("generate", [*words[1:], "cluster=inline"]) == 0
    rows = rows_of(out)
    assert len(rows) == len({row["task"] for row in rows}) == IMAGES
    assert image_bytes(out) == image_bytes(undisturbed)
    assert verify(AtlasPaths(out)).exit_code == 0


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


@pytest.mark.slow
def test_a_model_of_ones_own_by_factory_and_by_config_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By factory in this process; by config folder in one of its own, which the script of jobs/ starts."""
    small = ("layers=['2']", "recipe=quick", "recipe.octaves=[{size: 24, steps: 3, lr: [0.1, 0.1]}]", "cluster=inline")
    words = ("model=custom", "model.factory=own_net:net", "model.weights=own.safetensors", "model.input_size=32")
    monkeypatch.chdir(own)
    monkeypatch.syspath_prepend(str(own / "code"))
    assert run_job("generate", [*words, *small, "name=f"]) == 0
    variables = {"PYTHONPATH": os.pathsep.join([str(own / "code"), os.environ.get("PYTHONPATH", "")])}
    script = (str(JOBS / "job.py"), "generate", "--config-dir", "my_conf", "model=mine", *small, "name=c")
    done = run_python(*script, cwd=own, **variables)
    assert done.returncode == 0, done.stderr
    by_factory, by_folder = rows_of(own / "outputs/f"), rows_of(own / "outputs/c")
    assert [row["feature"] for row in by_folder] == [f"mine/2:{n}" for n in range(5)]
    assert [row["score"] for row in by_factory] == [row["score"] for row in by_folder], "the same weights"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_mistake_is_said_at_once_before_anything_is_written(
    empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["model=[gogglenet]", "metric=[l7]", "recipe.rescue=many", "modle=3", "channels=5:2", "seeds=[0,0]"]
    assert run_job("generate", words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    for part in (
        "did you mean googlenet",
        "metric=l7",
        "recipe.rescue=many",
        "did you mean model",
        "channels='5:2'",
        "seeds",
    ):
        assert part in printed.err
    assert "Traceback" not in printed.err
    assert list(empty.iterdir()) == []


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


def test_a_dry_run_says_what_it_would_cost_and_writes_nothing(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # as on a login node, which has no GPU
    elsewhere = ["cluster.device=cuda", "cluster.actors=8"]
    assert run_job("generate", ["experiment=demo", "dry_run=true", *elsewhere]) == 0
    printed = capsys.readouterr()
    assert "464" in printed.out
    assert "on 8 cuda actors" in printed.err
    assert "Nothing was written" in printed.err
    assert list(empty.iterdir()) == []


def test_hydra_answers_what_hydra_is_asked(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("generate", ["model=resnet18", "--cfg", "job"]) == 0
    assert "resnet18:" in capsys.readouterr().out
    helped = atlas("generate", "--help", cwd=empty)
    assert "recipe: " in helped.stdout
    assert helped.returncode == 0
    assert list(empty.iterdir()) == []


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
