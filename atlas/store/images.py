"""Images on disk: floats in [0, 1] to 8-bit sRGB PNG and back, whole or absent, with their hash."""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.store.files import write_bytes


def to_pil(image: np.ndarray) -> Image.Image:
    """A float image (3, h, w), clipped to [0, 1], as 8-bit RGB. The one place where values become bytes."""
    pixels = np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def write_image(path: Path, image: np.ndarray) -> str:
    """Write a float image (3, h, w) as PNG; returns the file's sha256. The same values give the same bytes."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, format="PNG", compress_level=6)
    write_bytes(path, buffer.getvalue())
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
