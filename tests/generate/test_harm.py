"""What happens to an atlas's files between two runs is told or mended; no image that is there is ever lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sweeps import image_bytes, run_small

from atlas.config.mistakes import ConfigError
from atlas.engine.outcome import Outcome
from atlas.query.verify.verify import verify
from atlas.store.damaged_file import DamagedFile
from atlas.store.paths import AtlasPaths

ASK = ("layers=[conv1]", "channels=0:3")


@pytest.fixture
def paths(tmp_path: Path) -> AtlasPaths:
    run_small(tmp_path / "a", *ASK)
    return AtlasPaths(tmp_path / "a")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize("harm", [Path.unlink, cut, lambda file: file.write_bytes(b"")])
def test_a_plan_comes_back_with_the_next_run(paths: AtlasPaths, harm: Callable[[Path], object]) -> None:
    harm(next(paths.plans.glob("*.parquet")))
    assert verify(paths).broken
    assert run_small(paths.root, *ASK).idle
    assert verify(paths).whole


@pytest.mark.parametrize("harm", [cut, flip, lambda file: file.write_bytes(b"")])
def test_a_damaged_index_file_is_named_and_mended_on_request(paths: AtlasPaths, harm: Callable[[Path], object]) -> None:
    before = image_bytes(paths.root)
    file = next(paths.index.rglob("*.parquet"))
    harm(file)
    assert any(file.name in problem.place for problem in verify(paths).problems)
    if harm is not flip:  # a flipped byte may lie where this run does not look
        with pytest.raises(DamagedFile, match=f"{file.name} is damaged .*retry=broken"):
            run_small(paths.root, *ASK)
    outcome = run_small(paths.root, *ASK, "retry=broken")
    assert outcome.made == 3
    assert any(file.name in note for note in outcome.notes), outcome.notes
    assert verify(paths).whole
    assert image_bytes(paths.root) == before


@pytest.mark.parametrize("text", [None, "{", json.dumps({"format": 1}), "[]"])
def test_a_lost_manifest_is_put_back_and_no_image_is_overwritten(paths: AtlasPaths, text: str | None) -> None:
    before = image_bytes(paths.root)
    paths.manifest.unlink()
    if text is not None:
        paths.manifest.write_text(text)
    assert verify(paths).broken
    outcome = run_small(paths.root, *ASK, "metrics.l1.constant=100")
    assert "atlas.json was" in outcome.notes[0]
    after = image_bytes(paths.root)
    assert {name: after[name] for name in before} == before
    assert len(after) == 6
    assert verify(paths).whole


def test_without_a_copy_of_it_the_run_is_refused(paths: AtlasPaths) -> None:
    before = image_bytes(paths.root)
    for file in (paths.manifest, *paths.config.glob("*/atlas.json")):
        file.unlink()
    with pytest.raises(ConfigError, match=r"its atlas\.json is lost"):
        run_small(paths.root, *ASK, "metrics.l1.constant=100")
    assert image_bytes(paths.root) == before


def test_a_folder_of_somebodys_is_left_alone(tmp_path: Path) -> None:
    for name in ("staging/precious.txt", "thesis/.download.part"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("precious")
    with pytest.raises(ConfigError, match="is no atlas, and not empty"):
        run_small(tmp_path, *ASK)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".download.part", "precious.txt"]


def test_what_somebody_keeps_in_an_atlas_stays(paths: AtlasPaths) -> None:
    (paths.staging / "notes.txt").write_text("mine")
    (paths.images / "Thumbs.db").write_text("the file manager's")
    (paths.root / "thesis").mkdir()
    (paths.root / "thesis" / ".x.01234567.part").write_text("mine")
    assert isinstance(run_small(paths.root, *ASK), Outcome)
    assert (paths.staging / "notes.txt").exists()
    assert (paths.root / "thesis" / ".x.01234567.part").exists()
    assert verify(paths).whole
