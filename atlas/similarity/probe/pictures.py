"""Probes: the sets of pictures that models look at, listed without opening one, and read one by one."""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from atlas.config.schema import ProbeConfig
from atlas.records import ModelCard
from atlas.store.images import read_picture
from atlas.store.index import Row, files_under, read_table
from atlas.store.paths import VARIANT_ENDING, AtlasPaths

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
DRAWN = 64  # pixels of a drawn picture: what PatternNet was trained on
TOGETHER = 64  # pictures drawn from one random stream
COLUMNS = (
    "task", "feature", "model", "layer", "layer_index", "target", "metric", "seed", "status", "image", "width",
    "height", "weights", "created",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a probe, and how a model is shown it."""

    id: str  # the task of an image of the atlas; name and stamp of a file; number of a drawing
    image: str  # path, relative to the atlas or to the probe's folder
    feature: str | None = None  # that it was made for
    scale: float = 1.0  # its shorter side relative to its model's input: other models see it at the same scale
    raw: bool = False  # made without the model's normalisation, and shown so


@dataclass(frozen=True, slots=True)
class AtlasImage:
    """An image of the atlas, with what tells it from others of its feature."""

    picture: Picture
    model: str
    layer: str
    weights: str
    kind: tuple[str, str, int]  # metric, target, seed: of those that are alike the one made last stands for the feature
    created: Any


def made_images(paths: AtlasPaths, manifest: dict[str, Any], cards: dict[str, ModelCard]) -> list[AtlasImage]:
    """Every image of the atlas that shows something, in the order of tasks; dead ones are gray and left out."""
    raw = _RawVariants(manifest)
    rows = (row for path in files_under(paths.index) for row in read_table(path, COLUMNS).to_pylist())
    made = [_made(row, cards[row["model"]], raw.holds(row)) for row in rows if row["status"] == "ok"]
    return sorted(made, key=lambda one: one.picture.id)


def _made(row: Row, card: ModelCard, raw: bool) -> AtlasImage:
    scale = min(row["width"], row["height"]) / card.input_size
    picture = Picture(row["task"], row["image"], row["feature"], scale, raw)
    kind = (row["metric"], row["target"], row["seed"])
    return AtlasImage(picture, row["model"], row["layer"], row["weights"], kind, row["created"])


class _RawVariants:
    """Which images were made without the model's normalisation (recipe `octaves`), as the manifest tells."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.variants: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for variant in manifest["variants"]:
            self.variants.setdefault((variant["model"], variant["metric"]), []).append(variant)

    def holds(self, row: Row) -> bool:
        known = self.variants.get((row["model"], row["metric"]), [])
        mark = re.search(VARIANT_ENDING, row["image"])
        mine = [one for one in known if mark is None or one["variant"].startswith(mark[1])]
        return bool(mine) and mine[0]["settings"].get("space") == "raw"


def pictures_of(probe: ProbeConfig) -> list[Picture]:
    """The pictures of a probe that is not the atlas itself, in a fixed order."""
    if probe.kind == "patterns":
        return [Picture(f"drawing {probe.seed}/{number}", "") for number in range(probe.count)]
    folder = Path(probe.folder or "")
    return [_found(path, folder) for path in _picture_files(folder)]


def _picture_files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def _found(path: Path, folder: Path) -> Picture:
    """A file is known by its name, size and time: another picture under the same name is another picture."""
    said, name = path.stat(), path.relative_to(folder).as_posix()
    return Picture(f"{name} {said.st_size:x}-{said.st_mtime_ns:x}", name)


class PictureReader:
    """Reads the pictures of one probe as RGB squares."""

    def __init__(self, probe: ProbeConfig, root: Path) -> None:
        self.probe = probe
        self.folder = Path(probe.folder) if probe.folder else root
        self._drawn: dict[int, list[Image.Image]] = {}  # the group that was drawn last
        self._lock = threading.Lock()  # several threads read at once

    def read(self, picture: Picture, side: int) -> Image.Image:
        """The picture as a square of `side` pixels: scaled to cover it, the rest cut off evenly. OSError when unreadable."""
        image = self._draw(picture) if self.probe.kind == "patterns" else read_picture(self.folder / picture.image)
        return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)

    def _draw(self, picture: Picture) -> Image.Image:
        group, place = divmod(int(picture.id.rpartition("/")[2]), TOGETHER)
        with self._lock:
            if group not in self._drawn:
                self._drawn = {group: list(_drawings(self.probe.seed, group))}
            return self._drawn[group][place]


def _drawings(seed: int, group: int) -> Iterator[Image.Image]:
    import torch

    from atlas.store.images import to_pil
    from atlas.zoo.drawings import sample

    mixed = blake2b(f"{seed}/{group}".encode(), digest_size=4).digest()  # a generator looks at 32 bits of its seed
    generator = torch.Generator().manual_seed(int.from_bytes(mixed))
    pictures, _ = sample(TOGETHER, generator, DRAWN)
    return (to_pil(picture) for picture in pictures.numpy())
