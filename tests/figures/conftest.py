"""One small real atlas for all tests of figures, made once a session."""

import shutil
from pathlib import Path

import pytest
from sweeps import run_small


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an atlas of some of PatternNet's features, and a second model; figures are written into it."""
    folder = tmp_path_factory.mktemp("figures")
    run_small(folder / "outputs" / "small", "layers=[conv2,conv3]", "channels=0:2")
    twin = folder / "conf_of_mine" / "model" / "twin.yaml"
    twin.parent.mkdir(parents=True)
    twin.write_text("# @package models\ntwin: {source: patternnet, weights: none}\n")
    return folder


@pytest.fixture
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that atlas without figures, which is the only one under outputs/ here."""
    copy = shutil.copytree(home / "outputs" / "small", tmp_path / "outputs" / "small", ignore=_figures)
    monkeypatch.chdir(tmp_path)
    return copy


def _figures(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "figures"]
