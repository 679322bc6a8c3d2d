"""The ends of the ranges that pyproject.toml allows, as requirements for pip: `python tests/ranges.py oldest|newest`.

torch stays what constraints.txt names, of which a CPU build can be had; torchvision, whose wheels ask for the torch of
their own day, is for a second call with --no-deps: `… oldest|newest torchvision`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("run", "figures", "ray")
RANGE = re.compile(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)(.*)")


def requirements(end: str) -> Iterator[tuple[str, str]]:
    """Each library that runs need, and the requirement that asks for one end of its range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
    pinned = dict(re.findall(r"^(torch)==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for line in [*project["dependencies"], *extras]:
        if match := RANGE.match(line):
            name, floor, rest = match.groups()
            version = f"=={pinned[name]}" if name in pinned else f"=={floor}" if end == "oldest" else f">={floor}{rest}"
            yield name, name + version


if __name__ == "__main__":
    end, *only = sys.argv[1:]
    chosen = [text for name, text in requirements(end) if (name == "torchvision") == (only == ["torchvision"])]
    print("\n".join(chosen))
