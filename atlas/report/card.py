"""A card of one feature for a page or a slide, as SVG or PNG: its image, what it is called, its nearest beyond chance.

Both are drawn from one list of pieces, so that they look alike.
"""

import io
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw

from atlas.query.atlas import Atlas
from atlas.query.feature import Feature
from atlas.query.view_files import quoted
from atlas.query.views import STANDS
from atlas.records import Address
from atlas.report.colours import Colour
from atlas.report.sheets.canvas import GROUND, TEXT, TITLE, cut_to_pixels, font_of
from atlas.store.files import readable, write_bytes

WIDTH, HEIGHT, MARGIN, BIG, NEAR, SPACE = 880, 360, 28, 304, 75, 8  # pixels
MOST = 6  # neighbors
SHARP = 2  # pixels of a PNG for each of these
FORMS = (".svg", ".png")


@dataclass(frozen=True)
class Picture:
    path: Path
    x: int
    y: int
    side: int


@dataclass(frozen=True)
class Words:
    text: str
    x: int
    y: int  # of the base line
    size: int
    colour: Colour


def write_card(atlas: Atlas, feature: Feature, file: Path) -> None:
    """Write the card in the form that the file's name ends in, one of FORMS; ValueError for another."""
    form = file.suffix.lower()
    if form not in FORMS:
        raise ValueError(f"{file.name!r} ends in neither .svg nor .png: a card is one of these")
    pieces = list(_pieces(atlas, feature))
    write_bytes(file, _svg(pieces, str(feature)).encode() if form == ".svg" else _png(pieces))


def _pieces(atlas: Atlas, feature: Feature) -> Iterator[Picture | Words]:
    left = 2 * MARGIN + BIG
    room = WIDTH - left - MARGIN
    yield from ([Picture(image, MARGIN, MARGIN, BIG)] if (image := _image(atlas, str(feature))) else [])
    name, place = feature.name, f"{feature.layer}:{feature.channel}"
    yield Words(cut_to_pixels(name or place, 30, room), left, 62, 30, TITLE)
    yield Words(cut_to_pixels(f"{place} of {feature.model}" if name else feature.model, 17, room), left, 92, 17, TEXT)
    yield Words(cut_to_pixels(_facts(atlas, feature), 15, room), left, 128, 15, TEXT)
    near = [row for row in feature.similar(MOST).to_pylist() if row["excess"] is None or row["excess"] > 0]
    if near:
        yield Words("Nearest in its layer, beyond chance", left, 178, 13, TEXT)
    for number, row in enumerate(near):
        x = left + number * (NEAR + SPACE)
        if row["image"]:
            yield Picture(atlas.path / row["image"], x, 192, NEAR)
        called = row["name"] or str(Address.parse(row["dst"]).channel)
        yield Words(cut_to_pixels(called, 12, NEAR), x, 192 + NEAR + 15, 12, TEXT)
    foot = f"{atlas.manifest.get('name')}   ·   {feature}"
    yield Words(cut_to_pixels(foot, 12, room), left, MARGIN + BIG - 2, 12, TEXT)


def _facts(atlas: Atlas, feature: Feature) -> str:
    rows = atlas.sql(f"""
        SELECT score, self_rank, self_z, metric, recipe FROM features
        WHERE feature = {quoted(str(feature))} AND status = 'ok' ORDER BY {STANDS} LIMIT 1""").to_pylist()
    if not rows:
        return "no image that drives it"
    row = rows[0]
    said = [f"score {row['score']:.3g} ({row['metric']}, {row['recipe']})"]
    if row["self_rank"] is not None:
        others = row["self_rank"] - 1
        more = "1 other image drives it" if others == 1 else f"{others} other images drive it"
        said.append(f"{more} more" if others else "its image drives it most")
    return "   ·   ".join(said)


def _image(atlas: Atlas, feature: str) -> Path | None:
    rows = atlas.sql(f"""
        SELECT image FROM features WHERE feature = {quoted(feature)} AND image IS NOT NULL
        ORDER BY status <> 'ok', {STANDS} LIMIT 1""")["image"].to_pylist()
    return atlas.path / rows[0] if rows else None


def _svg(pieces: list[Picture | Words], title: str) -> str:
    inner = "".join(_svg_picture(one) if isinstance(one, Picture) else _svg_words(one) for one in pieces)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" rx="14" fill="rgb{GROUND}"/>{inner}</svg>'
    )


def _svg_picture(picture: Picture) -> str:
    data = b64encode(picture.path.read_bytes()).decode("ascii")
    x, y, side = picture.x, picture.y, picture.side
    return (
        f'<image x="{x}" y="{y}" width="{side}" height="{side}" href="data:image/{_kind(picture.path)};base64,{data}"/>'
    )


def _kind(path: Path) -> str:
    return {".jpg": "jpeg"}.get(path.suffix.lower(), path.suffix.lower().removeprefix(".")) or "png"


def _svg_words(words: Words) -> str:
    font = f'font-family="Inter, system-ui, sans-serif" font-size="{words.size}"'
    return f'<text x="{words.x}" y="{words.y}" {font} fill="rgb{words.colour}" xml:space="preserve">{escape(words.text)}</text>'


def _png(pieces: list[Picture | Words]) -> bytes:
    card = Image.new("RGB", (WIDTH * SHARP, HEIGHT * SHARP), GROUND)
    draw = ImageDraw.Draw(card)
    for one in pieces:
        if isinstance(one, Picture):
            with Image.open(readable(one.path)) as image:
                square = image.convert("RGB").resize((one.side * SHARP,) * 2, Image.Resampling.LANCZOS)
            card.paste(square, (one.x * SHARP, one.y * SHARP))
        else:
            draw.text((one.x * SHARP, one.y * SHARP), one.text, one.colour, font_of(one.size * SHARP), anchor="ls")
    data = io.BytesIO()
    card.save(data, "PNG")
    return data.getvalue()
