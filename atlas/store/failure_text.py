"""What a failed image's row says of its error: one line for people, and the traceback apart."""

import re

from atlas.store.index import Row

LONGEST = 500  # characters of the line; the traceback has all of a longer message
BEGINS = "Traceback (most recent call last):"


def failure_columns(error_type: str, text: str) -> Row:
    """The columns of an error whose text is its message, or its traceback with the message at the end."""
    lines = text.strip().splitlines()
    if BEGINS not in lines:
        return {"error_type": error_type, "error_message": one_line(text), "traceback": None}
    own = re.compile(rf"(?:[\w.]+\.)?{re.escape(error_type)}(?::\s*|$)")
    first = max((number for number, line in enumerate(lines) if own.match(line)), default=len(lines) - 1)
    message = own.sub("", "\n".join(lines[first:]), count=1)
    return {"error_type": error_type, "error_message": one_line(message) or error_type, "traceback": text}


def one_line(text: str) -> str:
    """A text as one line that is not too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
