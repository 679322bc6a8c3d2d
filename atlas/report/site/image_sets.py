"""Sets of images of a layer: all of one metric, target, seed, recipe and variant; one image at most of
each channel.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from atlas.store.paths import VARIANT_ENDING, safe

TELLING = ("metric", "target", "seed", "recipe")
LONGEST_KEY = 120  # characters of a key, which is part of a file's name


@dataclass(frozen=True)
class ImageSet:
    """One set. Its images lie at folder + channel + suffix, under the atlas; both are empty when it has none yet."""

    key: str
    metric: str
    target: str
    seed: int
    recipe: str
    folder: str
    suffix: str
    weights: frozenset[str]
    share: float  # of the layer's channels that it shows, in tenths, so that one image more does not reorder the sets
    newest: float  # when its newest image was made, in microseconds since 1970; -inf: it has none

    @property
    def variant(self) -> str:
        match = re.search(VARIANT_ENDING, self.suffix)
        return f"v{match[1]}" if match else ""

    @property
    def request(self) -> tuple[str, str, int, str]:
        """What was asked for: metric, target, seed and recipe."""
        return self.metric, self.target, self.seed, self.recipe


def image_sets(rows: pa.Table) -> tuple[list[ImageSet], np.ndarray]:
    """The sets of a layer, and the number of the set of each row.

    Sets of whole channels come first, then those that are most complete, so that a try of another recipe on a few
    channels does not become the face of a layer; then the atlas's first weights and recipe, the first metric and seed.

    Tasks without an image belong to the set of the same request, and of several such to the one of the same weights.
    """
    groups, codes = _groups(rows)
    pictured = [group for group in groups if group.folder]
    homes = [group if group.folder else _home(group, pictured) for group in groups]
    ordered = sorted(dict.fromkeys(homes), key=_order)
    numbers = {group: number for number, group in enumerate(ordered)}
    return _named(ordered), np.array([numbers[home] for home in homes], np.intp)[codes]


def _groups(rows: pa.Table) -> tuple[list[ImageSet], np.ndarray]:
    """Groups of rows that agree on how an image is made and where it lies; and the number of the group of each row."""
    words = [rows[name].cast(pa.string()) for name in (*TELLING, "folder", "suffix")]
    words.append(pa.compute.if_else(rows["folder"].is_null(), rows["weights"], ""))  # type: ignore[attr-defined]
    joined = pa.compute.binary_join_element_wise(*words, "\0", null_handling="replace")  # type: ignore[attr-defined]
    codes = joined.combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    created = rows["created"].cast(pa.int64()).to_numpy().astype(float)
    return [_group(rows, codes == code, created, int(row)) for code, row in enumerate(first)], codes


def _group(rows: pa.Table, members: np.ndarray, created: np.ndarray, first: int) -> ImageSet:
    """The set of the rows that `members` marks; `first` is one of them, `created` is in microseconds or NaN."""
    row = {name: rows[name][first].as_py() for name in (*TELLING, "folder", "suffix")}
    weights = frozenset(rows["weights"].filter(pa.array(members)).unique().to_pylist())
    newest = created[members & np.isfinite(created)].max(initial=-np.inf)
    path = {"folder": row.pop("folder") or "", "suffix": row.pop("suffix") or ""}
    share = round(int((members & rows["image"].is_valid().to_numpy()).sum()) / len(rows["channel"].unique()), 1)
    return ImageSet("", **row, **path, weights=weights, share=share, newest=float(newest))


def _home(group: ImageSet, pictured: list[ImageSet]) -> ImageSet:
    """The set with images that a group without any belongs to; the group itself when there is none."""
    alike = [images for images in pictured if images.request == group.request]
    return min(alike, key=lambda images: (not images.weights & group.weights, _order(images)), default=group)


def _order(images: ImageSet) -> tuple[object, ...]:
    return (
        images.target != "channel",
        -images.share,
        images.variant != "",
        images.metric,
        images.seed,
        -images.newest,
        images.target,
        images.recipe,
        images.suffix,
        sorted(images.weights),
    )


def _named(sets: list[ImageSet]) -> list[ImageSet]:
    """The sets, each with a key that no other has, even where upper and lower case are the same."""
    named: dict[str, ImageSet] = {}
    for images in sets:
        key = plain = _plain_key(images)
        number = 1
        while key.lower() in named:
            number += 1
            key = f"{plain}-{number}"
        named[key.lower()] = replace(images, key=key)
    return list(named.values())


def _plain_key(images: ImageSet) -> str:
    target, seed = f"-{images.target}" * (images.target != "channel"), f"-s{images.seed}" * (images.seed != 0)
    parts = [target, seed, f"-{images.variant}"]
    return safe(images.metric + "".join(part for part in parts if part != "-"))[:LONGEST_KEY]
