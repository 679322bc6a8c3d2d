"""A worker's process keeps the memory of its steps, where the allocator can be told to."""

import subprocess
import sys

import pytest

from atlas.engine.allocator import keep_freed_memory

# pages that the system had to bring for twenty steps, before and after
STEPS = """
from resource import RUSAGE_SELF, getrusage
import torch
from atlas.engine.allocator import keep_freed_memory

def steps():
    began = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range(20):
        maps = [torch.ones(3 << 20) for _ in range(3)]
        del maps
    return getrusage(RUSAGE_SELF).ru_minflt - began

print(steps())
assert keep_freed_memory()
steps()
print(steps())
"""


def test_steps_after_the_first_bring_no_new_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_ARENA_MAX"):
        monkeypatch.delenv(name, raising=False)
    run = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    before, after = map(int, run.stdout.split())
    assert after < before / 10


def test_what_somebody_has_set_up_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_freed_memory()
