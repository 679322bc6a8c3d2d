"""A folder that cannot be written is refused before any work, and nothing is made."""

from pathlib import Path

from atlas.store.output import output_mistakes


def test_a_folder_that_cannot_be_written_is_refused_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert output_mistakes(str(tmp_path / "new" / "folder")) == []
    assert not (tmp_path / "new").exists()
    assert "is a file" in output_mistakes(str(tmp_path / "file"))[0]
    assert "cannot be written" in output_mistakes("/proc/atlas")[0]
    assert "name a folder" in output_mistakes("")[0]
