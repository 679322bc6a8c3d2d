"""Jobs print their tables in the format that is asked for, and read nothing else of the option."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from atlas.cli.job import run_job
from atlas.cli.job_format import for_people, print_outcome, print_rows, printing, split_format
from atlas.config.mistakes import ConfigError


def test_the_option_is_taken_out_wherever_it_stands() -> None:
    for words in (["--format", "json", "a=1"], ["a=1", "--format=json"]):
        assert split_format(words) == ("json", ["a=1"])
    assert split_format(["a=1"]) == ("table", ["a=1"])
    for words in (["--format", "jsn"], ["--format"]):
        with pytest.raises(ConfigError, match="no such format"):
            split_format(words)


def test_a_format_holds_inside_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with printing("json"):
        print_rows(pa.table({"n": [1]}))
        print_outcome({"made": 2, "stopped": None})
    print_outcome({"made": 2})
    assert capsys.readouterr().out == '[\n{"n": 1}\n]\n[\n{"made": 2, "stopped": null}\n]\n'
    assert for_people()


@pytest.mark.usefixtures("cards_made_here")
def test_a_plan_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_job("generate", ["layers=[conv1]", "channels=0:3", "recipe=quick", "--dry-run", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["images"]) == ("patternnet", 3)
    assert list(tmp_path.iterdir()) == []
