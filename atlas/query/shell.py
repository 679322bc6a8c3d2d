"""Commands that a user can paste into bash and Hydra: a path stays one word, whatever characters it has."""

import re
import shlex
from pathlib import Path

Note = list[str]  # texts and commands in turn, a text first
# what Hydra's grammar reads as a text without quotes
PLAIN = re.compile(r"[\w.-]*/[\w./-]*|(?!(?:true|false|null|nan|inf)$)[a-z_][\w.-]*", re.ASCII | re.IGNORECASE)
# what OmegaConf would replace; it reads two backslashes before it as one
INTERPOLATED = re.compile(r"(\\*)\$\{")
# where Hydra reads two backslashes as one: before a quote, and at the end
QUOTED = re.compile(r"(\\*)('|\Z)")
FAILURES_SQL = "select feature, metric, error_type, error_message from failures"


def reading(name: str, atlas: Path, *words: str) -> str:
    """A reading command on the atlas in a folder, as `atlas verify --atlas outputs/demo`."""
    return shlex.join(["atlas", name, "--atlas", str(atlas), *words])


def job(name: str, out: Path, *overrides: str) -> str:
    """A job on the atlas in a folder, as `atlas site out=outputs/demo`; values in `overrides` are quoted for Hydra."""
    return shlex.join(["atlas", name, f"out={value(str(out))}", *overrides])


def failures(atlas: Path) -> str:
    """The command that lists the images that failed."""
    return reading("sql", atlas, FAILURES_SQL)


def value(text: str) -> str:
    """A text as the value of a Hydra override, in quotes where Hydra would read it as something else."""
    if PLAIN.fullmatch(text):
        return text
    literal = INTERPOLATED.sub(r"\1\1\\${", text)
    return f"'{QUOTED.sub(_escaped, literal)}'"


def sentence(note: Note) -> str:
    """A note as one line of text, its commands in backticks."""
    return "".join(f"`{part}`" if number % 2 else part for number, part in enumerate(note))


def _escaped(match: re.Match[str]) -> str:
    slashes, quote = match.groups()
    return slashes * 2 + ("\\'" if quote else "")
