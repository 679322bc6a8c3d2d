"""The wheel, installed elsewhere, runs a job: conf/ and the weights are in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.job

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_wheel_installed_elsewhere_runs_a_job(tmp_path: Path) -> None:
    def pip(*words: str) -> None:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    pip("wheel", "--no-deps", "--no-build-isolation", "-w", "dist", str(ROOT))
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    pip("install", "--no-deps", "--no-compile", "--target", "site", str(wheel))
    octave = "recipe.octaves=[{size: 48, steps: 2, lr: [0.1, 0.1]}]"
    words = ["generate", "layers=[conv1]", "channels=[0]", octave, "cluster=inline", "name=w"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    code = (
        "import atlas, sys; assert 'site' in atlas.__file__; from atlas.cli.main import main; sys.argv[1:] = "
        + repr(words)
    )
    done = subprocess.run(
        [sys.executable, "-c", code + "; main()"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs/w/images/patternnet/conv1/l1/0.png").exists()
