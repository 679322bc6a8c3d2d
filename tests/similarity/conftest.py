"""Small atlases of PatternNet, made once: one of 12 images, the same compared,
and copies of both to change.
"""

import shutil
from pathlib import Path

import pytest
from PIL import Image
from sweeps import run_small

from tests.similarity.small_atlas import LAYERS, compare


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("template") / "a"
    run_small(out, *LAYERS)
    return out


@pytest.fixture(scope="session")
def compared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compared") / "a"
    shutil.copytree(template, out)
    compare(out)
    return out


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Path:
    """An atlas of 12 images that was never compared."""
    return Path(shutil.copytree(template, tmp_path / "a"))


@pytest.fixture
def done(compared: Path, tmp_path: Path) -> Path:
    """The same atlas, compared."""
    return Path(shutil.copytree(compared, tmp_path / "a"))


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pieces of two photographs, in folders, as different files."""
    from sklearn.datasets import load_sample_images

    folder = tmp_path_factory.mktemp("photographs")
    for name, pixels in zip(("church", "flower"), load_sample_images().images, strict=True):
        (folder / name).mkdir()
        for number in range(6):
            y, x = divmod(number, 3)
            piece = Image.fromarray(pixels[y * 200 : y * 200 + 180, x * 200 : x * 200 + 200])
            piece.save(folder / name / f"{number}.{('jpg', 'png', 'webp')[number % 3]}")
    return folder


@pytest.fixture
def natural(photographs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(photographs, tmp_path / "photographs"))
