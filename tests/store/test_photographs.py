"""Photographs that come with packages: those that are there, without importing one."""

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.store import photographs as module
from atlas.store.images import read_picture
from atlas.store.photographs import photographs


def test_each_is_a_picture_large_enough_to_show() -> None:
    files = photographs()
    assert list(files)[:2] == ["sklearn/china.jpg", "sklearn/flower.jpg"]
    assert {"skimage/astronaut.png", "skimage/chelsea.png", "skimage/rocket.jpg"} <= files.keys()
    assert all(min(read_picture(path).size) >= 200 for path in files.values())


def test_a_package_that_is_not_there_brings_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    brought = (("no_such_package", "data", ("a.png",)), ("sklearn", "datasets/images", ("china.jpg", "gone.jpg")))
    monkeypatch.setattr(module, "BROUGHT", brought)
    assert list(photographs()) == ["sklearn/china.jpg"]


def test_no_package_is_imported_to_find_its_photographs() -> None:
    code = "import sys; from atlas.store.photographs import photographs; photographs()"
    code += "; print(*sorted({'sklearn', 'skimage', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
