"""Frames in, one animated WebP out, which every browser plays."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.report.page.paper import on_white
from atlas.store.files import write_whole

SUFFIX = ".webp"
PAUSE = 1000  # milliseconds that the last frame is shown longer
SHORTEST = 20  # milliseconds of a frame: browsers slow down what is faster
TICK = 10  # milliseconds: the duration of a frame is a multiple of these
QUALITY, METHOD = 85, 4  # of WebP: above, hairlines gain nothing that is seen; slower methods save few bytes
XP_TITLE = 0x9C9B  # the EXIF tag of a title in any script, in UTF-16


def write_animation(path: Path, frames: Sequence[Image.Image], *, seconds: float, title: str) -> None:
    """Write frames that together take `seconds`, the last one a second more, and then begin again: whole or not at all.

    Frames smaller than the largest stand in the middle of white ground; equal frames in a row become one that is shown
    as long. ValueError: the path does not end in .webp, there is no frame, or `seconds` is not above 0.
    """
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f"{path.name}: an animation is written as {SUFFIX}, not {path.suffix or 'without'}")
    if not frames:
        raise ValueError(f"{path.name}: an animation needs at least one frame")
    if not (isfinite(seconds) and seconds > 0):
        raise ValueError(f"{path.name}: seconds must be above 0, not {seconds}")
    size = max(frame.width for frame in frames), max(frame.height for frame in frames)
    first, *others = (_centred(frame, size) for frame in frames)
    options = {"append_images": others, "duration": durations(len(frames), seconds), "exif": _exif(title)}
    options |= {"save_all": True, "loop": 0, "quality": QUALITY, "method": METHOD}
    write_whole(path, lambda file: first.save(file, "WEBP", **options))


def durations(count: int, seconds: float) -> list[int]:
    """Milliseconds of each frame: as even as whole ticks allow, together `seconds`, and the pause after the last one."""
    ends = np.maximum(
        np.arange(1, count + 1) * seconds * 1000 / count / TICK, np.arange(1, count + 1) * SHORTEST / TICK
    )
    times = np.diff(ends.round().astype(int), prepend=0) * TICK
    return [*map(int, times[:-1]), int(times[-1]) + PAUSE]


def _exif(title: str) -> bytes:
    tags = Image.Exif()
    if title:
        tags[XP_TITLE] = title.encode("utf-8", "replace").decode().encode("utf-16-le")
    return tags.tobytes()


def _centred(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    ground = Image.new("RGB", size, "white")
    ground.paste(on_white(frame), ((size[0] - frame.width) // 2, (size[1] - frame.height) // 2))
    return ground
