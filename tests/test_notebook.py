"""docs/notebook.ipynb runs from its first cell to its last, and what it shows is what it says."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = json.loads((Path(__file__).parents[1] / "docs" / "notebook.ipynb").read_text())
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


# a tenth of the steps: what the cells show was made with all of them
IN_HASTE = "import atlas.generate.visualize as made; made.DEFAULT = 'quick'"


def script() -> str:
    """The cells one after the other; the value at the end of each is shown as a notebook would, as HTML or text."""
    lines = [IN_HASTE]
    for cell in CELLS:
        tree = ast.parse("".join(cell["source"]))
        last = ast.unparse(tree.body.pop())
        lines += [ast.unparse(tree), f"shown = {last}", "print(getattr(shown, '_repr_html_', shown.__repr__)()[:20])"]
    return "\n".join(lines)


@pytest.mark.slow
def test_the_notebook_runs_in_a_fresh_process_and_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script()], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(CELLS)
    assert (tmp_path / "outputs" / "notebook" / "site" / "index.html").is_file()


def test_its_pictures_are_kept_with_it_and_it_is_small() -> None:
    outputs = [output for cell in CELLS for output in cell["outputs"]]
    assert sum("data:image/" in "".join(output["data"].get("text/html", [])) for output in outputs) >= 5
    assert len(json.dumps(NOTEBOOK)) < 600_000
