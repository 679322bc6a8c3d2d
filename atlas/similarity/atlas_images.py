"""The images of an atlas, read from its index as pictures that models can be shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas.records import ModelCard
from atlas.store.index import Row, files_under, read_table
from atlas.store.paths import AtlasPaths
from atlas.store.raw_variants import RawVariants

INDEX_COLUMNS = (
    "task", "feature", "model", "layer", "layer_index", "target", "metric", "seed", "status", "image", "width",
    "height", "weights", "created",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a probe, and how a model is shown it."""

    id: str  # the task of an image of the atlas; name and stamp of a file; number of a drawing
    image: str  # path, relative to the atlas or to the probe's folder
    feature: str | None = None  # the one that it was made for
    scale: float = 1.0  # its shorter side relative to its model's input: other models see it at the same scale
    raw: bool = False  # made without the model's normalisation, and shown so


@dataclass(frozen=True, slots=True)
class AtlasImage:
    """An image of the atlas, and what distinguishes it from other images of its feature."""

    picture: Picture
    model: str
    layer: str
    weights: str
    kind: tuple[str, str, int]  # metric, target, seed: of images of one kind the newest represents the feature
    created: Any


def atlas_images(paths: AtlasPaths, manifest: dict[str, Any], cards: dict[str, ModelCard]) -> list[AtlasImage]:
    """Every image of the atlas that shows something, in the order of tasks; dead ones are gray and left out."""
    raw = RawVariants(manifest)
    rows = (row for path in files_under(paths.index) for row in read_table(path, INDEX_COLUMNS).to_pylist())
    images = [_atlas_image(row, cards[row["model"]], raw.holds(row)) for row in rows if row["status"] == "ok"]
    return sorted(images, key=lambda image: image.picture.id)


def _atlas_image(row: Row, card: ModelCard, raw: bool) -> AtlasImage:
    scale = min(row["width"], row["height"]) / card.input_size
    picture = Picture(row["task"], row["image"], row["feature"], scale, raw)
    kind = (row["metric"], row["target"], row["seed"])
    return AtlasImage(picture, row["model"], row["layer"], row["weights"], kind, row["created"])


def features_of(images: Iterable[AtlasImage], cards: Mapping[str, ModelCard]) -> list[str]:
    """Addresses of the features that have an image made with the weights that their model has now, sorted."""
    return sorted({str(image.picture.feature) for image in images if image.weights == cards[image.model].provenance})
