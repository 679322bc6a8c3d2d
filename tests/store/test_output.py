"""A folder that cannot be written is refused before any work, and nothing is made."""

from pathlib import Path

import pytest

from atlas.store.files import write_json
from atlas.store.lock import Lock
from atlas.store.manifest import new_manifest, write_manifest
from atlas.store.output import atlas_mistakes, output_mistakes
from atlas.store.paths import AtlasPaths
from atlas.store.saved_manifest import save_manifest, whole_manifest


def test_a_folder_that_cannot_be_written_is_refused_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert output_mistakes(str(tmp_path / "new" / "folder")) == []
    assert not (tmp_path / "new").exists()
    assert "is a file" in output_mistakes(str(tmp_path / "file"))[0]
    assert "cannot be written" in output_mistakes("/proc/atlas")[0]
    assert "name a folder" in output_mistakes("")[0]


def test_a_name_that_no_file_system_takes_is_refused_before_it_fails(tmp_path: Path) -> None:
    for name in ("n" * 300, "層" * 86):
        assert "longer than 255 bytes" in output_mistakes(str(tmp_path / name))[0]
    assert output_mistakes(str(tmp_path / ("層" * 85))) == []


def test_a_folder_that_is_empty_but_for_what_nobody_put_there_may_become_an_atlas(tmp_path: Path) -> None:
    assert atlas_mistakes(str(tmp_path / "new")) == []
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "lock").touch()
    assert atlas_mistakes(str(tmp_path)) == []
    (tmp_path / "lock").unlink()
    with Lock(tmp_path / "lock"):
        assert atlas_mistakes(str(tmp_path)) == []


@pytest.mark.parametrize("name", ["thesis.tex", "staging/precious.txt", "index/mine.csv", "config/x.yaml", "lock"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("precious")
    (mistake,) = atlas_mistakes(str(tmp_path))
    assert "is no atlas, and not empty" in mistake
    assert name.partition("/")[0] in mistake
    assert "out=FOLDER" in mistake


@pytest.fixture
def paths(tmp_path: Path) -> AtlasPaths:
    """An atlas that was asked for something and holds an image."""
    paths = AtlasPaths(tmp_path)
    save_manifest(paths, paths.config / "2026-01-02", new_manifest("x") | {"weights": {"m@1": "none"}})
    (paths.images / "m").mkdir(parents=True)
    return paths


@pytest.mark.parametrize("harm", ['{"format": 1}', "{", "", None])
def test_a_manifest_is_put_back_from_its_copy(paths: AtlasPaths, harm: str | None) -> None:
    manifest, note = whole_manifest(paths)
    assert note is None
    paths.manifest.unlink()
    if harm is not None:
        paths.manifest.write_text(harm)
    assert atlas_mistakes(str(paths.root)) == []
    restored, note = whole_manifest(paths)
    assert restored is not None and manifest is not None
    assert restored["weights"] == manifest["weights"]
    assert "put back" in str(note)
    assert whole_manifest(paths)[1] is None


def test_without_a_copy_a_lost_or_damaged_manifest_is_refused(paths: AtlasPaths) -> None:
    (paths.config / "2026-01-02" / "atlas.json").write_text("{")
    paths.manifest.write_text("{")
    assert "holds no copy of it" in atlas_mistakes(str(paths.root))[0]
    paths.manifest.unlink()
    assert "its atlas.json is lost" in atlas_mistakes(str(paths.root))[0]


def test_an_atlas_of_another_format_is_refused_and_left_alone(paths: AtlasPaths) -> None:
    write_json(paths.manifest, {"format": 99})
    assert "format 99" in atlas_mistakes(str(paths.root))[0]


def test_an_atlas_that_is_one_may_go_on(tmp_path: Path) -> None:
    write_manifest(tmp_path / "atlas.json", new_manifest("x"))
    (tmp_path / "notes.txt").touch()
    assert atlas_mistakes(str(tmp_path)) == []
