"""PNGs that know what they show: a hash of it is kept inside, so that clocks and restarts do not matter."""

from pathlib import Path

from PIL import Image, PngImagePlugin

from atlas.store.files import write_whole

MARK = "atlas-rows"  # PNG text: hash of all that the picture shows


def mark_of(path: Path) -> str | None:
    """What the picture at `path` shows; None when there is none that can be read."""
    try:
        with Image.open(path) as image:
            return image.info.get(MARK)
    except (OSError, SyntaxError):
        return None


def save_marked(image: Image.Image, path: Path, *, title: str, mark: str) -> Path:
    """Write a PNG with its title and mark, whole or not at all."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text(MARK, mark)
    notes.add_itxt("Title", title)
    write_whole(path, lambda file: image.save(file, format="PNG", pnginfo=notes))
    return path
