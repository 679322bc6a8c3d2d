"""The image holds what an installed Atlas needs: what `COPY` names is there, and pip is told what `make setup` is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_everything_that_is_copied_is_there_and_sent_to_the_builder() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
        for name in line.split()
    ]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    assert {"atlas", "conf", "pyproject.toml", "constraints.txt"} <= set(copied)
    assert set(copied) == sent
    assert all((ROOT / name).exists() for name in copied)
