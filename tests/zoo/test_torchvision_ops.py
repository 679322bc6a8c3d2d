"""torchvision imports beside any build of torch, and nobody gets it another way."""

import re
import subprocess
import sys
from pathlib import Path

import torch

import atlas
from atlas.zoo.torchvision_ops import DECLARED, SCHEMAS, torchvision

PACKAGE = Path(atlas.__path__[0])


def test_a_fresh_process_imports_torchvision_and_timm_and_uses_them() -> None:
    code = (
        "from atlas.zoo.torchvision_ops import torchvision; import timm, torch;"
        "print(torchvision.transforms.functional.gaussian_blur(torch.ones(1, 3, 8, 8), 3, 1.0).sum().item())"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=100)
    assert (done.returncode, done.stdout.strip()) == (0, "192.0"), done.stderr


def test_schemas_are_declared_only_where_the_compiled_operators_do_not_load() -> None:
    assert (DECLARED is None) == torchvision.extension._has_ops()
    assert all(hasattr(torch.ops.torchvision, name) for name in SCHEMAS)


def test_nobody_imports_torchvision_another_way() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "torchvision_ops.py":
            assert not re.search(r"^\s*(import|from) torchvision", path.read_text(), re.MULTILINE), path
