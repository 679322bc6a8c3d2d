"""The pictures of a probe that drive features most, as sheets and pages show them: what each is, and where it drives."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.colours import HEAT, shades

COLUMNS = (
    *("probe", "channel", "rank", "mean", "max", "image", "coalesce(source, picture) AS name"),
    *("y", "x", "height", "width", "side", "x0", "y0", "x1", "y1", "heat_width", "heat"),
)
STRONGEST = 0.8  # opacity of the highest value
DIMMED = 0.6  # brightness of the picture below
FRAME = (255, 255, 255), (0, 0, 0)  # a line that shows on any picture: two colours, one within the other

Fractions = tuple[float, float, float, float]


@dataclass(frozen=True)
class Example:
    """A picture that drives a feature, and where it does; without a place where the feature has no map."""

    probe: str
    channel: int
    rank: int
    mean: float
    max: float
    image: str  # the copy, relative to the atlas: a square
    name: str
    place: str | None  # of the strongest position, in words: top left
    box: Fractions | None  # x0, y0, x1, y1 of its receptive field, in the square; None: the whole of it
    heat: np.ndarray | None  # (h, w) bytes; 255: the map's highest value


def read_examples(atlas: Atlas, where: str) -> Iterator[Example]:
    """The examples of some features, by probe, channel and rank; where: a condition in SQL."""
    rows = atlas.sql(f"SELECT {', '.join(COLUMNS)} FROM examples WHERE {where} ORDER BY probe, channel, rank")
    plain = rows.drop_columns(["heat"]).to_pylist()
    for row, heat in zip(plain, rows["heat"], strict=True):
        yield _example(row, heat.values.to_numpy(zero_copy_only=False) if heat.is_valid else None)


def _example(row: dict[str, Any], heat: np.ndarray | None) -> Example:
    place, box, name = None, None, row["name"].replace("\\", "/")
    if row["y"] is not None and row["height"] * row["width"] > 1:
        place = place_words((row["y"] + 0.5) / row["height"], (row["x"] + 0.5) / row["width"])
        pixels = tuple(row[key] / row["side"] for key in ("x0", "y0", "x1", "y1"))
        box = pixels if pixels != (0, 0, 1, 1) else None
    if heat is not None:
        heat = heat.astype(np.uint8).reshape(-1, row["heat_width"])
    if not name.startswith("drawing "):
        name = name.rpartition("/")[2]
    facts = {key: row[key] for key in ("probe", "channel", "rank", "mean", "max", "image")}
    return Example(**facts, name=name, place=place, box=box, heat=heat)


def place_words(down: float, across: float) -> str:
    """A place of a picture in words, of nine; both from 0 to 1."""
    row, column = (min(2, int(3 * part)) for part in (down, across))
    words = " ".join(filter(None, (("top", "", "bottom")[row], ("left", "", "right")[column])))
    return f"at the {words}" if words else "in the middle"


def overlaid(picture: Image.Image, heat: np.ndarray | None) -> Image.Image:
    """A picture under the heat map of it, where there is one."""
    if heat is None:
        return picture
    strength = Image.fromarray(heat).resize(picture.size, Image.Resampling.BILINEAR)
    colours = Image.fromarray(shades(HEAT)[np.asarray(strength)])
    dimmed = picture.point(lambda level: DIMMED * level)
    return Image.composite(colours, dimmed, strength.point(lambda level: STRONGEST * level))


def boxed(picture: Image.Image, box: Fractions | None) -> Image.Image:
    """A picture with a frame around its receptive field; as it is where that is the whole."""
    if box is None:
        return picture
    framed = np.array(picture)
    x0, y0, x1, y1 = _pixels(picture, box)
    for inset, colour in enumerate(FRAME):
        rows, columns = slice(y0 + inset, y1 - inset), slice(x0 + inset, x1 - inset)
        framed[[y0 + inset, y1 - 1 - inset], columns] = colour
        framed[rows, [[x0 + inset], [x1 - 1 - inset]]] = colour
    return Image.fromarray(framed)


def cropped(picture: Image.Image, box: Fractions | None, side: int) -> Image.Image | None:
    """The receptive field alone, as large as a square of `side` pixels allows, on black; None where it is the whole."""
    if box is None:
        return None
    crop = picture.crop(_pixels(picture, box))
    scale = side / max(crop.size)
    crop = crop.resize([max(1, round(scale * length)) for length in crop.size], Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side))
    square.paste(crop, ((side - crop.width) // 2, (side - crop.height) // 2))
    return square


def _pixels(picture: Image.Image, box: Fractions) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (part * length for part, length in zip(box, 2 * picture.size, strict=True))
    return int(x0), int(y0), ceil(x1), ceil(y1)
