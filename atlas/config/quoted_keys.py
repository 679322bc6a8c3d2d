"""Keys of a mapping in quotes, `{'conv3': [0, 1]}`: as Python and YAML have them, and Hydra's grammar does not."""

import re

TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
# a text in quotes, and whether it stands where a key does; texts are matched whole, so that none is looked into
CANDIDATE = re.compile(rf"(?P<before>[{{,]\s*)?(?P<text>{TEXT})(?P<after>\s*:)?")
SLASHED = re.compile(r"\\(.)")
# what Hydra reads as part of a key only after a backslash
SPECIAL = re.compile(r"[\\()\[\]{}:=,\s]")


def unquoted_keys(override: str) -> str:
    """The override with each key that stands in quotes as Hydra reads it without them."""
    return CANDIDATE.sub(_plain, override)


def _plain(match: re.Match[str]) -> str:
    if not match["before"] or not match["after"]:
        return match[0]
    key = SLASHED.sub(r"\1", match["text"][1:-1])
    return match["before"] + SPECIAL.sub(lambda letter: f"\\{letter[0]}", key) + match["after"]
