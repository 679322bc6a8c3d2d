"""Texts as values of Hydra overrides: in quotes where Hydra's grammar would read them as something else."""

import re

# what Hydra's grammar reads as a text without quotes
PLAIN = re.compile(r"[\w.-]*/[\w./-]*|(?!(?:true|false|null|nan|inf)$)[a-z_][\w.-]*", re.ASCII | re.IGNORECASE)
# what OmegaConf would replace; it reads two backslashes before it as one
INTERPOLATED = re.compile(r"(\\*)\$\{")
# where Hydra reads two backslashes as one: before a quote, and at the end
QUOTED = re.compile(r"(\\*)('|\Z)")


def quoted(text: str) -> str:
    """A text as the value of a Hydra override, in quotes where Hydra would read it as something else."""
    if PLAIN.fullmatch(text):
        return text
    literal = INTERPOLATED.sub(r"\1\1\\${", text)
    return f"'{QUOTED.sub(_escaped, literal)}'"


def _escaped(match: re.Match[str]) -> str:
    slashes, quote = match.groups()
    return slashes * 2 + ("\\'" if quote else "")
