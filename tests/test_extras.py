"""What is not installed is told in one sentence, which says how to get it; reading an atlas takes none of the extras."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from made_atlas import make_atlas

import atlas
from atlas.config import extras
from atlas.config.extras import CORE, DISTRIBUTION, EXTRAS
from tests.config.composing import composed

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# imported under another name than the one that pip knows
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "hydra": "hydra-core"}

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({modules}))  # as if they were not installed
from atlas.cli.main import main
sys.argv = ["atlas", *{words}]
main()
"""


def run_without(modules: list[str], *words: str, cwd: Path) -> tuple[int, str, str]:
    code = WITHOUT.format(modules=modules, words=list(words))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=100)
    return done.returncode, done.stdout, done.stderr


def test_each_extra_brings_what_the_table_says() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    for module, extra in EXTRAS.items():
        names = " ".join(PROJECT["optional-dependencies"][extra])
        assert DISTRIBUTIONS.get(module, module) in names, module
        assert not any(line.startswith(DISTRIBUTIONS.get(module, module)) for line in PROJECT["dependencies"])


def test_a_python_that_lacks_what_every_installation_has_is_named() -> None:
    """As where a job's `python` is not the one of Atlas's environment."""
    needed = [name.partition(">")[0] for name in PROJECT["dependencies"]]
    assert [DISTRIBUTIONS.get(module, module) for module in CORE] == needed
    sentence = extras.missing(ModuleNotFoundError("No module named 'psutil'", name="psutil"))
    assert (
        sentence
        == f"this needs psutil, which {sys.executable} does not have: is it the Python that Atlas is installed for?"
    )


@pytest.mark.parametrize("words", [["generate", "layers=[conv1]"], ["layers", "patternnet"]])
def test_what_needs_an_extra_says_which_to_install(words: list[str], tmp_path: Path) -> None:
    code, out, err = run_without(["torch"], *words, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.endswith("needs torch, which is not installed: pip install 'feature-atlas[run]'\n")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_python_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_captum(module: str) -> None:
        raise ModuleNotFoundError("No module named 'captum.attr'", name="captum.attr")

    monkeypatch.delitem(vars(atlas), "run", raising=False)
    monkeypatch.setattr(atlas, "import_module", without_captum)
    with pytest.raises(ModuleNotFoundError, match=r"needs captum, .* pip install 'feature-atlas\[figures\]'"):
        atlas.run  # noqa: B018
    assert extras.missing(ModuleNotFoundError("No module named 'mine'", name="mine")) is None


def test_an_atlas_is_read_with_the_core_alone(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a")
    words = ["sql", "select count(*) > 0 as n from features", "--atlas", str(paths.root), "--format", "csv"]
    code, out, err = run_without(list(EXTRAS), *words, cwd=tmp_path)
    assert (code, out) == (0, "n\ntrue\n"), err


def test_a_cluster_of_ray_without_ray_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert extras.lacks("ray")
    (mistake,) = composed("cluster=local").mistakes
    assert mistake.startswith("cluster=local: Ray is not installed: pip install 'feature-atlas[ray]'")
    assert composed("cluster=inline").mistakes == []
