"""Images on disk: floats in [0, 1] to 8-bit sRGB PNG and back, whole or absent, with their hash."""

import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile, PngInfo

from atlas.store.files import readable, write_bytes

NOTE = "atlas"  # the keyword of a PNG's text that is a note


def to_pil(image: np.ndarray) -> Image.Image:
    """Turn a float image clipped to [0, 1], (3, h, w) or (1, h, w), into 8-bit RGB or gray.

    `generate.leaving` does the same where the values lie on a device. ValueError for any other shape.
    """
    if image.ndim != 3 or len(image) not in (1, 3):
        raise ValueError(f"shape {image.shape}: an image is (3, h, w) or (1, h, w)")
    pixels = np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def write_pixels(path: Path, pixels: Image.Image, note: str | None = None, *, durable: bool = True) -> str:
    """Write 8-bit pixels as PNG, which may bear a note for `read_note`, in JSON; returns the file's sha256.

    durable: as for `write_whole`.
    """
    content = _png(pixels, note)
    write_bytes(path, content, durable=durable)
    return hashlib.sha256(content).hexdigest()


def png_sha256(pixels: Image.Image) -> str:
    """The sha256 of the file that `write_pixels` would write."""
    return hashlib.sha256(_png(pixels)).hexdigest()


def _png(pixels: Image.Image, note: str | None = None) -> bytes:
    buffer, notes = io.BytesIO(), PngInfo()
    if note is not None:
        notes.add_text(NOTE, note)
    pixels.save(buffer, format="PNG", compress_level=6, pnginfo=notes if note is not None else None)
    return buffer.getvalue()


def read_note(path: Path) -> dict[str, Any] | None:
    """What a PNG's note says; None where there is no such file, it is damaged, or it bears none."""
    try:
        with Image.open(readable(path)) as image:
            note = json.loads(image.text[NOTE]) if isinstance(image, PngImageFile) else None
    except (OSError, SyntaxError, ValueError, KeyError):
        return None
    return note if isinstance(note, dict) else None


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class TooManyPixels(OSError):
    """A picture is larger than whoever reads it wants it."""


def read_picture(path: Path) -> Image.Image:
    """Read any picture file as upright RGB; OSError, with the reason, when it is none.

    Transparent parts are laid on white, 16-bit gray is scaled, and the first frame of an animation is taken.
    """
    return _read(readable(path), str(path))


def picture_of_bytes(content: bytes, name: str, most_pixels: int) -> Image.Image:
    """The same of a picture that is in memory; TooManyPixels before it is decoded. name: what errors call it."""
    return _read(io.BytesIO(content), name, most_pixels)


def _read(source: Path | io.BytesIO, name: str, most_pixels: int | None = None) -> Image.Image:
    try:
        with Image.open(source) as opened:
            if most_pixels is not None and opened.width * opened.height > most_pixels:
                size = f"{opened.width:,} x {opened.height:,}"
                raise TooManyPixels(f"{name} has {size} pixels: at most {most_pixels:,} are looked at")
            upright = _upright(opened)
            if upright.mode.startswith("I") or upright.mode == "F":
                upright = _scaled(upright)
            if upright.has_transparency_data:
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
            return upright.convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(f"{name}: {error}") from error
    except TooManyPixels:
        raise
    # whose message shows the object that was read
    except UnidentifiedImageError as error:
        raise OSError(f"{name} is no picture that can be read: its format is none that is known") from error
    # RuntimeError: AVIF
    except (SyntaxError, ValueError, RuntimeError, OSError) as error:
        raise OSError(f"{name} is no picture that can be read: {error}") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says; as it lies in the file where the EXIF is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except (struct.error, KeyError, TypeError):
        return image


def _scaled(image: Image.Image) -> Image.Image:
    """Integers of 16 bits, or floats in [0, 1], as 8-bit gray."""
    values = np.asarray(image, np.float64)
    white = 1.0 if image.mode == "F" else 65535.0
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


def middle_square(picture: Image.Image, side: int) -> Image.Image:
    """The largest square in the middle of a picture, scaled to `side` pixels: what models are shown of it."""
    return ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
