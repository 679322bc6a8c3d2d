"""torchvision imports beside any build of torch, and nobody gets it another way."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import atlas
from atlas.zoo.torchvision_ops import SCHEMAS, declared_operators, torchvision

pytestmark = pytest.mark.job

PACKAGE = Path(atlas.__path__[0])
# as of 0.29: the operators lie in a file of another name, and are registered while torchvision is imported
REGISTERS_ITS_OWN = f"""
from torch import library as registry
declared = registry.Library("torchvision", "DEF")
declared.define({SCHEMAS["nms"]!r})
__version__ = "0.29.1"
"""


def in_a_fresh_process(code: str, *folders: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*folders, PACKAGE.parent]))}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_fresh_process_imports_torchvision_and_timm_and_uses_them() -> None:
    code = (
        "from atlas.zoo.torchvision_ops import torchvision; torchvision(); import timm, torch;"
        "print(torchvision().transforms.functional.gaussian_blur(torch.ones(1, 3, 8, 8), 3, 1.0).sum().item())"
    )
    assert in_a_fresh_process(code) == "192.0"


def test_a_torchvision_that_registers_its_own_operators_finds_none_declared(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "_C_stable.so").touch()
    (tmp_path / "torchvision" / "__init__.py").write_text(REGISTERS_ITS_OWN)
    code = (
        "from atlas.zoo.torchvision_ops import declared_operators, torchvision;"
        "print(torchvision().__version__, declared_operators())"
    )
    assert in_a_fresh_process(code, tmp_path) == "0.29.1 None"


def test_schemas_are_declared_only_where_the_compiled_operators_do_not_load() -> None:
    assert (declared_operators() is None) == torchvision().extension._has_ops()
    assert all(hasattr(torch.ops.torchvision, name) for name in SCHEMAS)


def test_nobody_imports_torchvision_another_way() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "torchvision_ops.py":
            assert not re.search(r"^\s*(import|from) torchvision", path.read_text(), re.MULTILINE), path
