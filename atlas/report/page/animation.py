"""Pictures shown one after another, as one file that every browser plays: WebP or GIF."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import KDTree

from atlas.report.page.placed import on_white
from atlas.store.files import write_whole

Shades = NDArray[np.uint8]  # (n, 3)
HELD = 1000  # milliseconds that the last frame is shown longer
SHORTEST = 20  # milliseconds of a frame: browsers slow down what is faster
TICK = 10  # milliseconds: GIF counts in these
SAMPLE = 2_000_000  # pixels, of all frames, that the palette is made from
OFTEN = 48  # colours of the palette that are kept exactly
XP_TITLE = 0x9C9B  # the EXIF tag of a title in any script, in UTF-16


def write_animation(path: Path, frames: Sequence[Image.Image], *, seconds: float, title: str = "") -> None:
    """Write frames that take so many seconds, the last one a second more, and then begin again: whole or not at all.

    The suffix, .webp or .gif, says the format. Frames smaller than the largest stand in the middle of white ground;
    frames in a row that are alike become one that is shown as long.
    """
    if path.suffix.lower() not in WRITERS:
        raise ValueError(
            f"{path.name}: an animation is written as {' or '.join(WRITERS)}, not {path.suffix or 'without'}"
        )
    if not frames:
        raise ValueError(f"{path.name}: an animation needs at least one frame")
    if not (isfinite(seconds) and seconds > 0):
        raise ValueError(f"{path.name}: seconds must be above 0, not {seconds}")
    size = max(frame.width for frame in frames), max(frame.height for frame in frames)
    pictures = [_centred(frame, size) for frame in frames]
    said = title.encode("utf-8", "replace").decode()
    look = {"save_all": True, "loop": 0, "duration": durations(len(frames), seconds)}
    write_whole(path, lambda file: WRITERS[path.suffix.lower()](file, pictures, said, look))


def durations(count: int, seconds: float) -> list[int]:
    """Milliseconds of each frame: as even as whole ticks allow, together `seconds`, and the last one held."""
    ends = np.maximum(
        np.arange(1, count + 1) * seconds * 1000 / count / TICK, np.arange(1, count + 1) * SHORTEST / TICK
    )
    shown = np.diff(ends.round().astype(int), prepend=0) * TICK
    return [*map(int, shown[:-1]), int(shown[-1]) + HELD]


def _write_webp(file: Any, pictures: Sequence[Image.Image], title: str, look: dict[str, Any]) -> None:
    about = Image.Exif()
    if title:
        about[XP_TITLE] = title.encode("utf-16-le")
    pictures[0].save(file, "WEBP", append_images=pictures[1:], quality=85, method=4, exif=about.tobytes(), **look)


def _write_gif(file: Any, pictures: Sequence[Image.Image], title: str, look: dict[str, Any]) -> None:
    palette = _palette(pictures)
    drawn = [_painted(picture, palette) for picture in pictures]
    drawn[0].save(file, "GIF", append_images=drawn[1:], comment=title.encode(), optimize=False, **look)


def _palette(pictures: Sequence[Image.Image]) -> Shades:
    """256 colours for all frames: those seen most as they are, such as the ground, and what serves the others best."""
    step = max(1, sum(picture.width * picture.height for picture in pictures) // SAMPLE)
    pixels = np.concatenate([_shades(picture)[::step] for picture in pictures])
    colours, counts = np.unique(_packed(pixels), return_counts=True)
    often = colours[np.argsort(-counts, kind="stable")[:OFTEN]]
    others = _weighed(pixels.astype(np.int64)).quantize(256 - len(often), Image.Quantize.MEDIANCUT, kmeans=1)
    return np.concatenate([_unpacked(often), np.array(others.getpalette(), np.uint8).reshape(-1, 3)])


def _painted(picture: Image.Image, palette: Shades) -> Image.Image:
    """Every pixel in the nearest colour of the palette; PIL's own search is not exact, and turns white into gray."""
    colours, place = np.unique(_packed(_shades(picture)), return_inverse=True)
    nearest = KDTree(palette).query(_unpacked(colours))[1].astype(np.uint8)
    painted = Image.fromarray(nearest[place].reshape(picture.height, picture.width))
    painted.putpalette(palette.tobytes())
    return painted


def _shades(picture: Image.Image) -> Shades:
    return np.asarray(picture).reshape(-1, 3)


def _packed(shades: Shades) -> NDArray[np.int64]:
    return shades.astype(np.int64) @ (1 << 16, 1 << 8, 1)


def _unpacked(colours: NDArray[np.int64]) -> Shades:
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)


def _weighed(pixels: NDArray[np.int64]) -> Image.Image:
    """The mean of each cube of 8 shades a side, as often as the root of its pixels: else the ground would take most."""
    _, cube, counts = np.unique((pixels >> 3) @ (1 << 10, 1 << 5, 1), return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(cube, shade) / counts for shade in pixels.T], axis=1).round().astype(np.uint8)
    return Image.fromarray(means.repeat(np.ceil(counts**0.5).astype(int), axis=0)[None])


def _centred(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    ground = Image.new("RGB", size, "white")
    ground.paste(on_white(frame), ((size[0] - frame.width) // 2, (size[1] - frame.height) // 2))
    return ground


WRITERS = {".webp": _write_webp, ".gif": _write_gif}
