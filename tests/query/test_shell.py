"""Commands that are printed work when they are pasted, whatever the path holds."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from hypothesis import given
from hypothesis import strategies as st
from made_atlas import WHOLE, make_atlas
from omegaconf import OmegaConf

from atlas.cli.job import run_job
from atlas.config.quoting import quoted
from atlas.query.atlas import Atlas
from atlas.query.shell import FAILURES_SQL, elsewhere, failures, job, reading, sentence
from atlas.query.tables_known import command
from atlas.store.files import write_json

PARSER = OverridesParser.create()
PATHS = [
    *("outputs/demo", "demo-2", "/tmp/a b", "it's", 'say "x"', "$(x)", "`x`", "a,b", "(a)", "a=b", "~/x", "*", "a;b&c", "é"),
    *("a\\'b", "end\\", "\\\\", "'\\", "${x}", "\\${x}", "$\\{x}", "'${x}'\\", "[a]", "{a:b}", "a|b", "#", "!a", "a\nb", "a\\\n"),
    *("true", "NULL", "nan", "inf", "1e3", "007", "12", "-x", "..", " a ", "$HOME"),
]  # fmt: skip


def value_in_job(override: str) -> object:
    """The value that a job gets from an override."""
    parsed = PARSER.parse_override(override)
    read = parsed.value()
    assert not isinstance(read, QuotedString)
    return OmegaConf.create({parsed.key_or_group: read})[parsed.key_or_group]


def pasted(line: str) -> list[str]:
    """The words that bash makes of a line."""
    printed = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    return printed.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_one_word_of_bash_and_one_value_of_hydra(path: str) -> None:
    line = job("site", Path(path), "dry_run=true")
    words = pasted(line)
    assert words == shlex.split(line)
    assert (words[:2], words[3:]) == (["atlas", "site"], ["dry_run=true"])
    assert value_in_job(words[2]) == str(Path(path))
    assert pasted(failures(Path(path))) == ["atlas", "sql", "--atlas", str(Path(path)), FAILURES_SQL]


@given(st.text("ab'\"\\${}$ ,()=:[]`/.~#\n", min_size=1, max_size=12))
def test_any_text_is_a_value(text: str) -> None:
    assert value_in_job(f"out={quoted(text)}") == text


def test_plain_paths_stay_plain() -> None:
    assert job("similarity", Path("outputs/demo-2.x")) == "atlas similarity out=outputs/demo-2.x"
    assert reading("verify", Path("/tmp/a_1")) == "atlas verify --atlas /tmp/a_1"
    assert sentence(["see ", "a b", ", or ", "c"]) == "see `a b`, or `c`"


def test_what_is_said_of_an_atlas_works_as_it_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = make_atlas(tmp_path / 'it\'s $(x), `y` (a=b) "é" ${z}', WHOLE)
    pictures = "/pictures/it's, $(mine)"
    write_json(paths.similarity, {"natural": {"probe": {"folder": pictures}}})
    with Atlas(paths.root) as atlas:
        words, other = pasted(command(atlas)), pasted(command(atlas, "natural"))
    assert run_job("site", [*words[2:], "dry_run=true"]) == 0
    assert f"{paths.root}/site" in capsys.readouterr().err
    assert other[:3] == words
    assert [value_in_job(word) for word in other[3:]] == [["atlas", "natural"], pictures]


def test_a_command_for_somebody_elsewhere_names_the_atlas_and_no_folder() -> None:
    for place in (".", "a", "/a", "/home/me/it's $(x)"):
        told = job("similarity", Path(place), "probe=[atlas,a]", "probes.a.folder=/home/me/a")
        assert elsewhere(told, Path(place), "my a") == shlex.join(
            ["atlas", "similarity", f"out={quoted('my a')}", "probe=[atlas,a]", "probes.a.folder=DIR"]
        )
        assert elsewhere(failures(Path(place)), Path(place), "b") == failures(Path("b"))
