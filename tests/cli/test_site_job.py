"""`atlas site`: which atlas, what it says, and how it ends."""

import errno
import os
import signal
import tempfile
from pathlib import Path

import pytest
from made_atlas import WHOLE, make_atlas

from atlas.cli.job import run_job
from atlas.cli.jobs import run
from atlas.config.schema import SweepConfig
from atlas.engine.outcome import INTERRUPTED, SOME_FAILED, Outcome
from atlas.generate.job import ImagesOutcome
from atlas.report.site import write as writing
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths

pytestmark = pytest.mark.job


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AtlasPaths:
    """The newest of two atlases under outputs/ here."""
    old = make_atlas(tmp_path / "outputs" / "old", WHOLE)
    os.utime(old.manifest, (1, 1))
    make_atlas(tmp_path / "outputs" / "new", WHOLE)
    monkeypatch.chdir(tmp_path)
    return AtlasPaths(Path("outputs/new"))


def test_the_newest_atlas_and_the_page_to_open_last(paths: AtlasPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("site", []) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "the newest atlas: outputs/new"
    assert any(line.startswith("note: features were not compared yet") for line in said)
    assert said[-1] == str(paths.site_page)
    assert paths.site_page.exists() and not paths.lock.exists()


@pytest.mark.parametrize("words", [["name=old"], ["out=outputs/old"]])
def test_an_atlas_by_name(paths: AtlasPaths, words: list[str]) -> None:
    assert run_job("site", words) == 0
    assert Path("outputs/old/site/index.html").exists() and not paths.site.exists()


def test_an_atlas_by_its_experiment(paths: AtlasPaths) -> None:
    paths.root.rename("outputs/demo")
    assert run_job("site", ["experiment=demo"]) == 0
    assert Path("outputs/demo/site/index.html").exists() and not Path("outputs/old/site").exists()


@pytest.mark.parametrize("job", ["site", "similarity"])
def test_a_folder_that_cannot_be_written_is_a_mistake(
    paths: AtlasPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], job: str
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    before = sorted(paths.root.rglob("*"))
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert run_job(job, ["name=new"]) == 2
    assert "out=outputs/new: cannot be written (Read-only file system" in capsys.readouterr().err
    assert sorted(paths.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["name=none"], "outputs/none is no atlas"),
        (["layers=[conv1]"], "its keys are name=, out=, experiment= and dry_run="),
        (["nme=old"], "nme"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    paths: AtlasPaths, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert run_job("site", words) == 2
    assert told in capsys.readouterr().err
    assert not list(Path().glob("outputs/*/site"))


def test_dry_run_writes_nothing(paths: AtlasPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("site", ["dry_run=true"]) == 0
    assert "outputs/new/site" in capsys.readouterr().err
    assert not paths.site.exists()


def test_while_another_job_writes_it_says_who(paths: AtlasPaths, capsys: pytest.CaptureFixture[str]) -> None:
    with Lock(paths.lock):
        assert run_job("site", []) == 2
    assert f"outputs/new is being written by process {os.getpid()}" in capsys.readouterr().err
    assert not paths.site.exists()


def test_a_damaged_index_is_named(paths: AtlasPaths, capsys: pytest.CaptureFixture[str]) -> None:
    file = next(paths.index.rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-40])
    assert run_job("site", []) == 1
    assert f"{file.name} is damaged" in capsys.readouterr().err


def test_ctrl_c_is_75_and_the_next_run_finishes(paths: AtlasPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_write_maps", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        assert run_job("site", []) == 75
    assert not paths.site_overview.exists() and not list(paths.site.rglob("*.part")) and not paths.lock.exists()
    assert run_job("site", []) == 0
    assert paths.site_overview.exists()


@pytest.mark.parametrize(
    ("images", "compared", "code", "written"), [(0, 0, 0, True), (3, 0, 3, True), (0, 3, 3, True), (75, 0, 75, False),
                                                (0, 75, 75, False)]
)  # fmt: skip
def test_a_run_ends_with_the_site(
    paths: AtlasPaths, monkeypatch: pytest.MonkeyPatch, images: int, compared: int, code: int, written: bool
) -> None:
    def outcome(code: int) -> Outcome:
        return Outcome(
            failures=["one"] * (code == SOME_FAILED), stopped="stopped by SIGINT" if code == INTERRUPTED else None
        )

    class Plan:
        cards: dict[str, object] = {}  # noqa: RUF012

    config = SweepConfig(name="new", out=str(paths.root), dry_run=False)
    made = ImagesOutcome(paths, 1, failed=int(images == SOME_FAILED), stopped=outcome(images).stopped)
    monkeypatch.setattr(run, "prepared", lambda *_, making: (config, Plan))
    monkeypatch.setattr(run, "make_images", lambda *_: made)
    monkeypatch.setattr(run, "compare_features", lambda *_: outcome(compared))
    assert run.run_body(config, [], []).code == code
    assert paths.site_page.exists() is written
