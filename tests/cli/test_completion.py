"""A shell offers addresses, keys and values, and shows no error."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from made_atlas import WHOLE, make_atlas

from atlas.cli.main import cli


def offered(*words: str, incomplete: str) -> list[str]:
    completer = ShellComplete(cli, {}, "atlas", "_ATLAS_COMPLETE")
    return [item.value for item in completer.get_completions(list(words), incomplete)]


def test_addresses_of_the_atlas_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("show", incomplete="alpha") == []
    make_atlas(tmp_path / "outputs" / "a", WHOLE)
    layer = f"{WHOLE[0].model}/{WHOLE[0].layer}:"
    for command in ("show", "similar", "names"):
        assert offered(command, incomplete=WHOLE[0].model) == [layer]
        assert offered(command, "--atlas", "a", incomplete=f"{layer}1")[:1] == [f"{layer}1"]


def test_commands_keys_and_values_of_a_job() -> None:
    assert "generate" in offered(incomplete="gen")
    assert offered("generate", incomplete="rec") == ["recipe="]
    assert offered("generate", "model=x", incomplete="recipe=qu") == ["recipe=quick"]
    assert offered("generate", incomplete="nothing=") == []
