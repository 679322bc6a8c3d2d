"""Maps of an atlas: what is up to date is not drawn again, and then nothing that draws is loaded."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_what_has_nothing_to_draw_loads_no_matplotlib() -> None:
    code = "import sys, atlas.cli.jobs.similarity, atlas.report.page.map_files; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "False"
