"""Commands as whoever reads them may paste them into bash: whatever a path holds, it stays one word."""

import re
import shlex
from pathlib import Path

Note = list[str]  # texts and commands in turn
PLAIN = re.compile(r"[\w.-]*/[\w./-]*|(?!(?:true|false|null|nan|inf)$)[a-z_][\w.-]*", re.ASCII | re.IGNORECASE)
INTERPOLATED = re.compile(r"(\\*)\$\{")  # what OmegaConf would replace; of backslashes before it, it reads two as one
QUOTED = re.compile(r"(\\*)('|\Z)")  # where Hydra reads two backslashes as one: before a quote, and at the end
FAILURES = "select feature, metric, error_type, error_message from failures"


def typed(*words: str) -> str:
    return shlex.join(words)


def reading(name: str, atlas: Path, *words: str) -> str:
    """A command that reads the atlas in a folder."""
    return typed("atlas", name, "--atlas", str(atlas), *words)


def job(name: str, out: Path, *overrides: str) -> str:
    """A job on the atlas in a folder; what is typed in overrides is quoted for Hydra already."""
    return typed("atlas", name, f"out={value(str(out))}", *overrides)


def failures(atlas: Path) -> str:
    """What lists the images that failed."""
    return reading("sql", atlas, FAILURES)


def value(text: str) -> str:
    """A text as the value of an override: as it is where Hydra's grammar reads it as that text, else in quotes."""
    if PLAIN.fullmatch(text):
        return text
    kept = INTERPOLATED.sub(r"\1\1\\${", text)
    return f"'{QUOTED.sub(_escaped, kept)}'"


def sentence(note: Note) -> str:
    """A note as one line of text, its commands in backticks."""
    return "".join(f"`{part}`" if place % 2 else part for place, part in enumerate(note))


def _escaped(found: re.Match[str]) -> str:
    slashes, quote = found.groups()
    return slashes * 2 + ("\\'" if quote else "")
