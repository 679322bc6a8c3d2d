"""Marks: digests of all that a file was made from, so that a rerun makes only what has changed.

A PNG keeps its mark inside; files of the site have theirs in the site's ledger. Clocks and restarts do not
matter.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from atlas.store.files import readable, write_whole

MARK = "atlas-rows"  # the PNG text that holds the mark


def digest_of(*parts: Any) -> str:
    """Digest of plain values and bytes: 20 hexadecimal digits."""
    digest = blake2b(digest_size=10)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def mark_of(path: Path) -> str | None:
    """The mark inside a PNG; None when there is no PNG, or none that can be read."""
    try:
        with Image.open(readable(path)) as image:
            return image.info.get(MARK)
    except (OSError, SyntaxError):
        return None


def save_marked(image: Image.Image, path: Path, *, title: str, mark: str) -> Path:
    """Write a PNG with its title and mark, whole or not at all; returns its path."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text(MARK, mark)
    notes.add_itxt("Title", title)
    write_whole(path, lambda file: image.save(file, format="PNG", pnginfo=notes))
    return path
