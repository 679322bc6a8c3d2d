"""`similarity` as a job: what it refuses, what it does a second time, what it records and says."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from sweeps import SMALL

from atlas.cli.job import run_job
from atlas.config.mistakes import ConfigError
from atlas.store.lock import Lock, Locked
from atlas.store.manifest import NotAnAtlas
from tests.similarity.small_atlas import compare, computed, neighbors, responses, stamps

pytestmark = [pytest.mark.job, pytest.mark.usefixtures("cards_made_here")]


def test_the_same_again_does_nothing_and_writes_no_file(done: Path) -> None:
    before = stamps(done)
    outcome = compare(done)
    assert outcome.idle
    assert (outcome.features, outcome.looked, list(outcome.compared)) == (12, 0, [])
    assert stamps(done) == before


def test_what_is_lost_is_said_and_the_exit_code_is_3(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fresh / "images/patternnet/conv1/l1/2.png").write_bytes(b"no picture")
    assert run_job("similarity", [f"out={fresh}", "cluster=inline"]) == 3
    messages = capsys.readouterr().err
    assert "2.png" in messages and "1 picture could not be looked at" in messages
    assert "features compared by what the pictures of probe atlas do to them" in messages
    assert (fresh / "maps/patternnet/conv1/sym.png").exists()


def test_an_atlas_without_images_is_told_of(fresh: Path) -> None:
    shutil.rmtree(fresh / "index")
    outcome = compare(fresh)
    assert (outcome.features, list(outcome.compared)) == (0, [])
    assert "no image yet" in outcome.notes[0]
    assert computed(fresh) == {}
    assert not (fresh / "lock").exists()


def test_what_is_no_atlas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnAtlas):
        compare(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_atlas_that_somebody_works_on_is_refused(fresh: Path) -> None:
    with Lock(fresh / "lock"), pytest.raises(Locked):
        compare(fresh)
    assert computed(fresh) == {}


def test_a_model_that_no_config_tells_of_is_refused(fresh: Path) -> None:
    shutil.rmtree(fresh / "config")
    with pytest.raises(ConfigError, match="patternnet"):
        compare(fresh)


def test_a_damaged_response_file_says_what_to_do(done: Path) -> None:
    (file, *_) = sorted((done / "responses").rglob("*.parquet"))
    data = file.read_bytes()
    file.write_bytes(data[:-10])
    with pytest.raises(OSError, match="retry=broken"):
        compare(done)
    file.unlink()
    outcome = compare(done)
    assert outcome.looked == 12
    assert len(responses(done)) == 24


def test_tables_that_were_deleted_are_made_again(done: Path) -> None:
    assert compare(done).idle
    shutil.rmtree(done / "neighbors")
    assert list(compare(done).compared) == ["atlas"]
    assert neighbors(done, "layer", "sym")


def test_a_request_alone_is_recorded_and_no_models_are_read_from_it(done: Path) -> None:
    before = set((done / "config").iterdir())
    words = [*SMALL, f"out={done}", "similarity.top=3"]
    assert run_job("similarity", words) == 0
    (new,) = set((done / "config").iterdir()) - before
    config = OmegaConf.load(new / "similarity.yaml")
    assert (config.similarity.top, config.probes.atlas.kind, config.cluster.kind) == (3, "atlas", "inline")
    assert OmegaConf.load(new / "overrides.yaml") == words
    assert list(compare(done, "similarity.top=2").compared) == ["atlas"]
