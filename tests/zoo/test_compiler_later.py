"""Libraries import without torch's compiler, which is there as soon as it is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import atlas

CODE = """
import sys
from atlas.zoo.compiler_later import compiler_later
from atlas.zoo.from_timm import timm_module
from atlas.zoo.torchvision_ops import torchvision
import torch

torchvision(), timm_module("here")
with compiler_later():
    from torch._dynamo.utils import is_compile_supported
    doubled = torch.compiler.disable(lambda x: 2 * x)
    assert "sympy" not in sys.modules
    # not among what the stand-in has
    from torch._dynamo.utils import counters
    import torch._dynamo.config
import torch._dynamo

assert torch._dynamo.__spec__ is not None and torch._dynamo.utils.counters is counters
print(doubled(3), is_compile_supported("meta"))
"""


def in_a_fresh_process(code: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(atlas.__path__[0]).parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_torchvision_and_timm_come_without_the_compiler_and_who_asks_for_more_gets_it() -> None:
    assert in_a_fresh_process(CODE) == ["6", "False"]
