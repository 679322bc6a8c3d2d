"""The table of commands says the same as the commands, and `atlas --help` imports none of them."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import atlas.cli
from atlas.cli.lazy_group import COMMANDS, JOBS, load
from atlas.cli.main import cli

HELP = """
import json, sys
from atlas.cli.main import cli
cli.main(["--help"], standalone_mode=False)
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
HEAVY = {"torch", "ray", "hydra", "omegaconf", "duckdb", "pyarrow", "numpy", "PIL", "rich", "importlib.metadata"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_of_the_table_is_the_short_help_of_its_command(name: str) -> None:
    location, line = COMMANDS[name]
    command = load(location)
    assert isinstance(command, click.Command)
    assert (command.name, command.get_short_help_str(1000)) == (name, line)


@pytest.mark.parametrize("name", JOBS)
def test_a_line_of_the_table_is_the_first_of_its_job(name: str) -> None:
    location, line = JOBS[name]
    assert location.startswith(f"atlas.cli.jobs.{name}:")
    assert load(location).__doc__.splitlines()[0] == line


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if any(p.name == "atlas_name" for p in load(COMMANDS[name][0]).params)]
)
def test_an_atlas_where_no_argument_is_taken_is_told_how_it_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("outputs/my demo")
    folder.mkdir(parents=True)
    (folder / "atlas.json").touch()
    taken = sum(isinstance(one, click.Argument) and one.nargs == 1 for one in load(COMMANDS[name][0]).params)
    words = ["csv"] * taken  # a form of `atlas export`, and a word to all others
    for place in (str(folder), folder.name):
        told = CliRunner().invoke(cli, [name, *words, place])
        assert (told.exit_code, f"; an atlas is named by --atlas '{place}'" in told.stderr) == (2, True), told.stderr
    told = CliRunner().invoke(cli, [name, *words, "x", 300 * "y"])
    assert told.exit_code == 2 and told.stderr.endswith(f"Got unexpected extra arguments (x {300 * 'y'})\n")


def test_help_lists_every_command_and_imports_none() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60, check=True)
    listed = {line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines()}
    assert listed == {*COMMANDS, *JOBS}
    modules = set(json.loads(done.stderr))
    assert not HEAVY & modules
    assert not [name for name in modules if name.startswith(("atlas.cli.commands", "atlas.cli.job"))]


def test_a_wrong_name_is_refused_with_the_nearest() -> None:
    refused = CliRunner().invoke(cli, ["sttus"])
    assert refused.exit_code == 2
    assert "No such command 'sttus'. Did you mean 'status'?" in refused.stderr


def test_every_module_of_the_command_line_imports_at_its_top() -> None:
    folder = Path(atlas.cli.__path__[0])
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text())
        inner = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert [node.lineno for node in inner if node not in tree.body] == [], path
