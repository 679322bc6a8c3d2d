"""`atlas publish`: a site in, a folder out that any static host can serve: small pictures in place of the images, and
what others show of a link to it.
"""

import io
import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from atlas.query.atlas import Atlas
from atlas.query.shell import Note, elsewhere
from atlas.report.sheets.canvas import GROUND
from atlas.report.site.encoding import script, value_of
from atlas.report.site.overview import words_of
from atlas.report.site.site_layer import read_layers
from atlas.report.site.sprites import UNREADABLE
from atlas.report.site.static import page
from atlas.store.bucket_path import is_remote
from atlas.store.files import readable
from atlas.store.paths import AtlasPaths

SIDES = (224, 192, 160, 128, 96)  # pixels of a picture: the largest with which the folder is small enough
QUALITY, METHOD = 80, 4  # of WebP
SAMPLE = 48  # pictures that are drawn to know how large all will be
SPREAD = 1.1  # by how much the mean of all pictures may lie above the sample's
COVER_BYTES = 400_000  # at most, of the cover
SMALL, ENDING = "small", ".webp"  # the folder of the pictures, and what their names end in
COVER, COVER_SIZE = "cover.jpg", (1200, 630)  # pixels: what a link's preview shows
THREADS = min(8, os.cpu_count() or 1)


class NotNew(Exception):
    """The folder to write to is there already and is not empty, or is none of this machine."""


class TooLarge(Exception):
    """Even with the smallest pictures there would be more bytes than allowed."""


@dataclass(frozen=True)
class Publication:
    """What is to be published, and how large it will be."""

    atlas: Atlas
    files: list[Path]  # of the site, that are copied as they are
    pictures: list[str]  # relative to the atlas
    side: int  # pixels of each
    size: int  # bytes of all, about
    most: int  # bytes allowed

    @property
    def sentence(self) -> str:
        return (
            f"{len(self.files):,} files and {len(self.pictures):,} pictures of {self.side} px, "
            f"about {_megabytes(self.size)}"
        )


def plan(atlas: Atlas, most: int) -> Publication:
    """What the site of an atlas will be as a folder of at most so many bytes; TooLarge: it cannot be."""
    kept = {atlas.paths.site_overview, atlas.paths.site_page, atlas.paths.site_ledger}
    files = sorted(file for file in atlas.paths.site.rglob("[!.]*") if file.is_file() and file not in kept)
    pictures = list(_pictures(atlas))
    fixed = COVER_BYTES + sum(file.stat().st_size for file in (*files, atlas.paths.site_overview))
    sample = pictures[:: max(1, len(pictures) // SAMPLE)]
    sizes = {}
    for side in SIDES:
        mean = _mean([len(_small(atlas.path / picture, side)) for picture in sample])
        sizes[side] = fixed + round(SPREAD * mean * len(pictures))
        if sizes[side] <= most:
            return Publication(atlas, files, pictures, side, sizes[side], most)
    raise TooLarge(
        f"the site would be about {_megabytes(sizes[SIDES[-1]])} with pictures of {SIDES[-1]} px, of which "
        f"{_megabytes(fixed)} are data and thumbnails; --max allows {_megabytes(most)}"
    )


def require_new(folder: Path) -> None:
    """NotNew: a folder is in an object store, or holds something."""
    if is_remote(folder):
        raise NotNew(f"{folder} is no folder of this machine: publish into one, and copy that to the store")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise NotNew(f"{folder} exists and is not an empty folder: name a new one")


def publish(publication: Publication, folder: Path, address: str = "") -> int:
    """Write the new folder, whole or not at all; returns its bytes. NotNew: something is there already; TooLarge.

    address: where it will be served, which a link's preview needs to find its picture.
    """
    require_new(folder)
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        _write(publication, part, address)
        size = sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
        if size > publication.most:
            raise TooLarge(f"it came to {_megabytes(size)}, and --max allows {_megabytes(publication.most)}")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return size


def _write(publication: Publication, folder: Path, address: str) -> None:
    atlas = publication.atlas
    for file in publication.files:
        place = folder / file.relative_to(atlas.paths.site)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda picture: _write_small(publication, folder, picture), publication.pictures))
    overview = folder / atlas.paths.site_overview.relative_to(atlas.paths.site)
    overview.write_bytes(_overview(atlas.paths))
    (folder / ".nojekyll").touch()  # or GitHub would leave out what begins with _
    cover = _write_cover(publication, folder)
    link = f"{address.rstrip('/')}/{cover}" if address and cover else cover
    (folder / "index.html").write_bytes(page(*words_of(atlas, read_layers(atlas)), link))


def _write_small(publication: Publication, folder: Path, picture: str) -> None:
    place = folder / SMALL / f"{picture}{ENDING}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(_small(publication.atlas.path / picture, publication.side))


def _overview(paths: AtlasPaths) -> bytes:
    """The overview, which says that pictures are small ones, and nothing of this machine."""
    value = value_of(paths.site_overview.read_bytes())
    name = str(value["name"])
    told = {
        "root": name,
        "compare": elsewhere(value["compare"], paths.root, name),
        "notes": [_note(note, paths.root, name) for note in value["notes"]],
        "images": {"root": f"{SMALL}/", "ending": ENDING},
    }
    return script(paths.site_key(paths.site_overview), {**value, **told})


def _note(note: Note, root: Path, name: str) -> Note:
    return [elsewhere(part, root, name) if number % 2 else part for number, part in enumerate(note)]


def _pictures(atlas: Atlas) -> Iterator[str]:
    """Every image of a feature, and every picture that stands beside one."""
    text = """
        SELECT DISTINCT image FROM features WHERE image IS NOT NULL
        UNION SELECT DISTINCT image FROM examples WHERE image IS NOT NULL ORDER BY image"""
    for image in atlas.sql(text)["image"].to_pylist():
        place = PurePosixPath(image)
        if not place.is_absolute() and ".." not in place.parts:  # or it would lie outside the atlas
            yield image


def _small(path: Path, side: int) -> bytes:
    """A picture as WebP, its longer side at most `side` pixels; a blank one where it cannot be read."""
    data = io.BytesIO()
    try:
        with Image.open(readable(path)) as image:
            picture = image.convert("RGB")
    except UNREADABLE:
        picture = Image.new("RGB", (side, side), GROUND)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(data, "WEBP", quality=QUALITY, method=METHOD)
    return data.getvalue()


def _write_cover(publication: Publication, folder: Path) -> str:
    """Write the middle of the first map as a picture; returns its name, "" where there is no map."""
    maps = sorted(file for file in publication.files if file.parent.parent == publication.atlas.paths.site / "maps")
    if not maps:
        return ""
    with Image.open(readable(maps[0])) as image:
        whole = image.convert("RGB")
    scale = max(COVER_SIZE[0] / whole.width, COVER_SIZE[1] / whole.height)
    whole = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.LANCZOS)
    left, top = (whole.width - COVER_SIZE[0]) // 2, (whole.height - COVER_SIZE[1]) // 2
    whole.crop((left, top, left + COVER_SIZE[0], top + COVER_SIZE[1])).save(folder / COVER, quality=82)
    return COVER


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e7 else f"{size / 1e6:,.0f} MB"


def _mean(values: list[int]) -> float:
    return sum(values) / len(values) if values else 0.0
