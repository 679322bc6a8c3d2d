"""Commands that a user can paste into bash and Hydra: a path stays one word, whatever characters it has."""

import re
import shlex
from pathlib import Path

from atlas.config.quoting import quoted

PICTURES = re.compile(r"^(probes\..*\.folder=).*", re.DOTALL)  # where somebody has the pictures of a probe
Note = list[str]  # texts and commands in turn, a text first
FAILURES_SQL = "select feature, metric, error_type, error_message from failures"


def reading(name: str, atlas: Path, *words: str) -> str:
    """A reading command on the atlas in a folder, as `atlas verify --atlas outputs/demo`."""
    return shlex.join(["atlas", name, "--atlas", str(atlas), *words])


def job(name: str, out: Path, *overrides: str) -> str:
    """A job on the atlas in a folder, as `atlas site out=outputs/demo`; values in `overrides` are quoted for Hydra."""
    return shlex.join(["atlas", name, f"out={quoted(str(out))}", *overrides])


def failures(atlas: Path) -> str:
    """The command that lists the images that failed."""
    return reading("sql", atlas, FAILURES_SQL)


def elsewhere(command: str, atlas: Path, name: str) -> str:
    """A command on the atlas in a folder, as who has it under another name types it: no folder of this machine is in it."""
    words = {str(atlas): name, f"out={quoted(str(atlas))}": f"out={quoted(name)}"}
    return shlex.join(PICTURES.sub(r"\1DIR", words.get(word, word)) for word in shlex.split(command))


def sentence(note: Note) -> str:
    """A note as one line of text, its commands in backticks."""
    return "".join(f"`{part}`" if number % 2 else part for number, part in enumerate(note))
