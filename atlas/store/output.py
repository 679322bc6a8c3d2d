"""Where an atlas, or a picture, is to be written: whether it could be."""

import os
import tempfile


def output_mistakes(out: str) -> list[str]:
    """Whether the atlas could be written where it is asked for; what is missing is not made yet."""
    if not out:
        return ["out is empty: name a folder, as out=outputs/mine"]
    if "://" in out:
        return [f"out={out}: only folders can be written so far; name one that every node sees"]
    place = os.path.abspath(out)
    if os.path.exists(place) and not os.path.isdir(place):
        return [f"out={out}: is a file; name a folder"]
    while not os.path.exists(place):
        place = os.path.dirname(place)
    try:
        with tempfile.TemporaryFile(dir=place):
            return []
    except OSError as error:
        return [f"out={out}: cannot be written ({error.strerror}: {place}); name another folder with out=FOLDER"]
