"""Processes that this one starts: what they need to import the same modules, and what they said before they ended."""

import os
import sys

WHAT = "what():"  # how C++ begins the message of an error that ends a process
LONGEST = 300  # characters of the last words


def import_path() -> str:
    """PYTHONPATH of a child that is to import whatever this process can, from its folder too."""
    return os.pathsep.join(path for path in [*sys.path, os.getcwd()] if path)


def last_words(said: str) -> str:
    """The line of what a process printed that says why it ended: C++'s message, else the last one; empty: no line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    messages = [line.removeprefix(WHAT).strip() for line in lines if line.startswith(WHAT)]
    return (messages or lines or [""])[-1][:LONGEST]
