"""Cards come from processes of their own, whoever asks, and one that dies is told of."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from atlas.child import last_words
from atlas.config.compose import compose_model
from atlas.config.schema import ModelConfig
from atlas.zoo.card import make_card
from atlas.zoo.card_reader import read_cards
from atlas.zoo.kept_model import take

pytestmark = pytest.mark.job

NETS = """
import os, sys
from torch import nn

def dies():
    print("this goes to stderr, not among the answers")
    os._exit(7)

def killed():
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_a_card_is_what_this_process_would_have_made_and_mistakes_are_told_by_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of a model whose process dies."""
    (tmp_path / "fatal_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    fatal = {name: ModelConfig(source="custom", factory=f"fatal_nets:{name}") for name in ("dies", "killed")}
    models = {"patternnet": compose_model("patternnet"), "nobody": ModelConfig(source="any"), **fatal}
    cards, mistakes = read_cards(models)
    assert cards == {"patternnet": make_card("patternnet", models["patternnet"])}
    assert {mistake.partition(":")[0] for mistake in mistakes} == {"models.nobody", "models.dies", "models.killed"}
    died = "the process that read the model died"
    words = "this goes to stderr, not among the answers"
    assert f"models.dies: {died} (exit code 7); its last words: {words}" in mistakes
    assert f"models.killed: {died} (SIGKILL); is there enough memory for it?" in mistakes
    assert words in capsys.readouterr().err
    assert read_cards({}) == ({}, [])


def test_a_card_made_here_is_the_same_and_its_model_is_there_for_the_work_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's code is tried in a process of its own all the same."""
    (tmp_path / "fatal_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    config = compose_model("patternnet")
    _, mistakes = read_cards({"dies": ModelConfig(source="custom", factory="fatal_nets:dies")}, here=True)
    assert "the process that read the model died (exit code 7)" in mistakes[0]
    cards, _ = read_cards({"patternnet": config}, here=True)
    assert cards == {"patternnet": make_card("patternnet", config)}
    assert take("patternnet", replace(config, seed=1), "cpu") is None
    loaded = take("patternnet", config, "cpu")
    assert loaded is not None and loaded.digest == cards["patternnet"].digest
    assert take("patternnet", config, "cpu") is None
    _, mistakes = read_cards({"nobody": ModelConfig(source="any")}, here=True)
    assert mistakes[0].startswith("models.nobody")


def test_the_last_words_of_a_process_are_the_reason_and_not_the_frames_below_it() -> None:
    abort = (
        "terminate called after throwing an instance of 'c10::Error'\n  what():  no such operator\nframe #0: main\n\n"
    )
    assert last_words(abort) == "no such operator"
    assert last_words("Traceback …\nMemoryError: too large\n\n") == "MemoryError: too large"
    assert last_words(" \n") == ""


@pytest.mark.slow
def test_a_script_without_a_main_guard_may_ask(tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    script.write_text("import atlas\nprint(atlas.plan('layers=[conv1]', 'channels=0:3').tasks)\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
