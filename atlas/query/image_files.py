"""Images of an atlas as PIL opens them: whole, or as a thumbnail inside an HTML page."""

import base64
import io
from pathlib import Path

from PIL import Image

from atlas.query.guard import Damaged


def read_image(path: Path) -> Image.Image:
    """Read an image whole, so that no file stays open; Damaged when it cannot be read."""
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as opened:
            opened.load()
            return opened.copy()
    except (OSError, SyntaxError) as error:
        raise Damaged(f"{path} cannot be read: {error}") from None


def thumbnail_uri(path: Path, side: int) -> str | None:
    """A data URI of the image as a JPEG of at most side x side pixels; None when it cannot be read."""
    try:
        image = read_image(path).convert("RGB")
    except Damaged:
        return None
    image.thumbnail((side, side))
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
