"""Probes, the sets of pictures that models look at: lists their pictures without opening one,
and reads one by one.
"""

import threading
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from atlas.config.schema import ProbeConfig
from atlas.similarity.atlas_images import Picture
from atlas.store.images import middle_square, read_picture, to_pil
from atlas.store.photographs import photographs
from atlas.store.picture_files import pictures_in

if TYPE_CHECKING:
    import torch

DRAWING_SIDE = 64  # pixels: what PatternNet was trained on
STREAM_PICTURES = 64  # drawn from one random stream


def pictures_of(probe: ProbeConfig) -> list[Picture]:
    """The pictures of a probe that is not the atlas itself, in a fixed order."""
    if probe.kind == "patterns":
        return [Picture(f"drawing {probe.seed}/{number}", "") for number in range(probe.count)]
    if probe.kind == "photographs":
        return [Picture(f"{name} {path.stat().st_size:x}", name) for name, path in photographs().items()]
    folder = Path(probe.folder or "")
    return [_picture(path, folder) for path in pictures_in(folder)]


def _picture(path: Path, folder: Path) -> Picture:
    """A file is known by its name, size and time: another picture under the same name is another picture."""
    stat, name = path.stat(), path.relative_to(folder).as_posix()
    return Picture(f"{name} {stat.st_size:x}-{stat.st_mtime_ns:x}", name)


class PictureReader:
    """Reads the pictures of one probe as RGB squares."""

    def __init__(self, probe: ProbeConfig, root: Path) -> None:
        self.probe = probe
        self.folder = Path(probe.folder) if probe.folder else root
        self._installed = photographs() if probe.kind == "photographs" else None
        self._drawn: dict[int, list[Image.Image]] = {}  # the group that was drawn last
        self._lock = threading.Lock()  # several threads read at once

    def is_here(self) -> bool:
        """Whether this machine sees the pictures' folder; one picture may still be missing from it."""
        return bool(self._installed) or self.folder.is_dir()

    def read(self, picture: Picture, side: int) -> Image.Image:
        """The picture as a square of `side` pixels: scaled to cover it, the rest cut off evenly. OSError when unreadable."""
        image = self._draw(picture) if self.probe.kind == "patterns" else read_picture(self._file(picture))
        return middle_square(image, side)

    def _file(self, picture: Picture) -> Path:
        if self._installed is None:
            return self.folder / picture.image
        if picture.image not in self._installed:
            raise OSError(f"{picture.image}: no package that is installed here brings this photograph")
        return self._installed[picture.image]

    def _draw(self, picture: Picture) -> Image.Image:
        group, position = position_of(picture)
        with self._lock:
            if group not in self._drawn:
                self._drawn = {group: list(_drawings(self.probe.seed, group))}
            return self._drawn[group][position]


def position_of(picture: Picture) -> tuple[int, int]:
    """The random stream that a drawing comes from, and its place in the stream."""
    return divmod(int(picture.id.rpartition("/")[2]), STREAM_PICTURES)


def random_stream(seed: int, group: int) -> "torch.Generator":
    """The random numbers of a group of STREAM_PICTURES drawings."""
    # Here, since listing pictures does without torch.
    import torch

    mixed = blake2b(f"{seed}/{group}".encode(), digest_size=4).digest()  # a generator looks at 32 bits of its seed
    return torch.Generator().manual_seed(int.from_bytes(mixed))


def _drawings(seed: int, group: int) -> Iterator[Image.Image]:
    # Here, since torch comes with it, which listing pictures does without.
    from atlas.zoo.drawings import sample

    pictures, _ = sample(STREAM_PICTURES, random_stream(seed, group), DRAWING_SIDE)
    return (to_pil(picture) for picture in pictures.numpy())
