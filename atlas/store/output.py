"""Checks before any work that the folder of an atlas, or of pictures, can be written."""

import os
import tempfile


def output_mistakes(out: str) -> list[str]:
    """The mistake in `out=`, if there is one: no folder, or one that cannot be written. Makes nothing that is missing."""
    if not out:
        return ["out is empty: name a folder, as out=outputs/mine"]
    if "://" in out:
        return [f"out={out}: only folders can be written so far; name one that every node sees"]
    folder = os.path.abspath(out)
    if os.path.exists(folder) and not os.path.isdir(folder):
        return [f"out={out}: is a file; name a folder"]
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        return [f"out={out}: cannot be written ({error.strerror}: {folder}); name another folder with out=FOLDER"]
