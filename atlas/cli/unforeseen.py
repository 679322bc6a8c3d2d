"""An error that nobody foresaw, told in one line: a traceback helps those who mend it, and is shown to those who ask."""

import os
import traceback
from pathlib import Path

from atlas.cli.messages import say
from atlas.engine.outcome import FAULT

SHOWS = "ATLAS_TRACEBACK"  # environment variable
LONGEST = 300  # characters of its message


def tell_unforeseen(error: Exception) -> int:
    """Print what happened and where; the exit code. Raises the error itself where its traceback is asked for."""
    if os.environ.get(SHOWS):
        raise error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}, line {frame.lineno}"
    what = f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST]}"
    say(f"atlas: a fault of its own, not of yours: {what} ({where}). {SHOWS}=1 shows the traceback, for a report.")
    return FAULT
