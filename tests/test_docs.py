"""What README and --help say is true: every command line composes, every command has help, every public name exists."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from sweeps import sweep

import atlas
from atlas.cli.job import with_figure_key
from atlas.cli.lazy_group import JOBS
from atlas.cli.main import cli
from atlas.config.checks import value_mistakes
from atlas.config.compose import compose_model, run_job
from atlas.figures import NAMES
from tests.keys_page import page

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    (atlas .+?)(?:  +#.*)?$", README, re.MULTILINE)
SWEEPS = ("run", "generate", "similarity", "site")


def test_every_key_has_its_meaning_in_the_docs() -> None:
    assert (ROOT / "docs" / "keys.md").read_text() == page()
    assert not re.search(r"\| *\|$", page(), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_one(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, command, *words = shlex.split(line)
    assert command in cli.commands
    if command in JOBS and command not in SWEEPS:
        overrides = with_figure_key(words) if command == "figure" else words
        assert run_job(command, overrides, lambda config, overrides, mistakes: len(mistakes)) == 0
    elif command in SWEEPS:
        (tmp_path / "my_conf" / "model").mkdir(parents=True)
        mine = re.search(r"```yaml\n(.+?)```", README, re.DOTALL)
        assert mine is not None
        (tmp_path / "my_conf" / "model" / "mine.yaml").write_text(mine[1])
        monkeypatch.chdir(tmp_path)
        assert value_mistakes(sweep(*words)) == []
    elif command == "layers":
        assert compose_model(words[0]).source == "torchvision"


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_has_help(command: str) -> None:
    if command in JOBS:
        assert "Jobs" in (cli.help or ""), "theirs is Hydra's: see test_end_to_end"
        assert cli.commands[command].help
        return
    helped = CliRunner().invoke(cli, [command, "--help"])
    assert helped.exit_code == 0
    assert "Usage" in helped.output


def test_the_readme_names_every_command_experiment_recipe_and_folder() -> None:
    for name in cli.commands:
        assert re.search(rf"\batlas {name}\b", README) or name == "run", name
    for group in ("experiment", "recipe", "cluster", "metric", "target", "model", "probe"):
        for path in (ROOT / "conf" / group).glob("*.yaml"):
            assert f"`{path.stem}`" in README, f"{group}={path.stem}"
    assert all(f"`{name}`" in README for name in NAMES), "every figure"
    for folder in (ROOT / "atlas").iterdir():
        if folder.is_dir() and (folder / "__init__.py").exists():
            assert f"`atlas/{folder.name}`" in README, folder.name


def test_every_public_name_is_there() -> None:
    assert {"open", "visualize"} <= set(atlas.__all__)
    assert all(hasattr(atlas, name) for name in atlas.__all__)


def test_files_of_the_repository_name_no_registry_and_no_machine() -> None:
    hosts = re.compile(
        "|".join(["py" + r"pi\.org", "python" + "hosted", "download.py" + "torch", "/wo" + "rk/", "/ro" + "ot/"])
    )
    for folder in ("atlas", "conf", "jobs", "tests", "docs", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".yaml", ".md", ".toml", ".txt"}:
                assert not hosts.search(path.read_text()), path
