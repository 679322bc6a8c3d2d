"""What a run tells of itself, in the unit that it counts."""

import json
from pathlib import Path

import pytest

from atlas.engine.progress import Count, Lines, StatusFile
from atlas.store.paths import AtlasPaths


@pytest.mark.parametrize(("count", "unit"), [(Count(9, 4), "images"), (Count(9, 4, unit="pictures"), "pictures")])
def test_a_line_and_the_status_name_what_is_counted(
    count: Count, unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count.add(done=2, dead=1, failed=1)
    Lines().show(count, "m/l")
    assert capsys.readouterr().err.startswith(f"8/9 {unit}  ")
    StatusFile(AtlasPaths(tmp_path), "a").write("running", count, [])
    status = json.loads((tmp_path / "status.json").read_text())
    assert [status[key] for key in ("stage", "total", "done", "failed", "left")] == [unit, 9, 7, 1, 1]
