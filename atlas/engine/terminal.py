"""Messages on stderr that never end a job: not even when whoever read them, as `| tee log`, has left."""

import os
import sys


def tell(message: str) -> None:
    """Print a message to stderr."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        # what is still buffered must go somewhere, or the interpreter ends with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
