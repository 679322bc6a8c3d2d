"""Sets of images of a layer: all of one metric, target, seed, recipe and variant; one image at most of each channel."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from atlas.store.paths import VARIANT_ENDING, safe

TELLING = ("metric", "target", "seed", "recipe")
LONGEST = 120  # characters of a key, which is part of a file's name


@dataclass(frozen=True)
class ImageSet:
    """Where its images lie: folder + channel + suffix, under the atlas. Both empty: it has none yet."""

    key: str
    metric: str
    target: str
    seed: int
    recipe: str
    folder: str
    suffix: str
    weights: frozenset[str]
    share: float  # of the layer's channels, those that it has an image of, in tenths: of one more or less nobody asks
    newest: float  # when the newest of its images was made, in microseconds; -inf: there is none

    @property
    def variant(self) -> str:
        found = re.search(VARIANT_ENDING, self.suffix)
        return f"v{found[1]}" if found else ""

    @property
    def asked(self) -> tuple[str, str, int, str]:
        return self.metric, self.target, self.seed, self.recipe


def image_sets(rows: pa.Table) -> tuple[list[ImageSet], np.ndarray]:
    """The sets of a layer, and the number of the set of each row.

    First those of the whole channel, then those that are most complete: a look at a few channels by another recipe does
    not become the face of a layer. Then the atlas's first weights and recipe, and the first metric and seed.

    Tasks without an image go with the set that was asked for in the same words, of several that of the same weights.
    """
    groups, codes = _groups(rows)
    known = [group for group in groups if group.folder]
    homes = [group if group.folder else _home(group, known) or group for group in groups]
    ordered = sorted(dict.fromkeys(homes), key=_order)
    number = {group: place for place, group in enumerate(ordered)}
    return _named(ordered), np.array([number[home] for home in homes], np.intp)[codes]


def _groups(rows: pa.Table) -> tuple[list[ImageSet], np.ndarray]:
    """Rows that say the same of where and how an image is made; and the number of the group of each row."""
    words = [rows[name].cast(pa.string()) for name in (*TELLING, "folder", "suffix")]
    words.append(pa.compute.if_else(rows["folder"].is_null(), rows["weights"], ""))  # type: ignore[attr-defined]
    joined = pa.compute.binary_join_element_wise(*words, "\0", null_handling="replace")  # type: ignore[attr-defined]
    codes = joined.combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    made = rows["created"].cast(pa.int64()).to_numpy().astype(float)
    return [_group(rows, codes == code, made, int(place)) for code, place in enumerate(first)], codes


def _group(rows: pa.Table, mine: np.ndarray, made: np.ndarray, first: int) -> ImageSet:
    row = {name: rows[name][first].as_py() for name in (*TELLING, "folder", "suffix")}
    weights = frozenset(rows["weights"].filter(pa.array(mine)).unique().to_pylist())
    newest = made[mine & np.isfinite(made)].max(initial=-np.inf)
    place = {"folder": row.pop("folder") or "", "suffix": row.pop("suffix") or ""}
    share = round(int((mine & rows["image"].is_valid().to_numpy()).sum()) / len(rows["channel"].unique()), 1)
    return ImageSet("", **row, **place, weights=weights, share=share, newest=float(newest))


def _home(group: ImageSet, known: list[ImageSet]) -> ImageSet | None:
    alike = [one for one in known if one.asked == group.asked]
    return min(alike, key=lambda one: (not one.weights & group.weights, _order(one)), default=None)


def _order(one: ImageSet) -> tuple[object, ...]:
    return (
        one.target != "channel",
        -one.share,
        one.variant != "",
        one.metric,
        one.seed,
        -one.newest,
        one.target,
        one.recipe,
        one.suffix,
        sorted(one.weights),
    )


def _named(sets: list[ImageSet]) -> list[ImageSet]:
    """Each with a key that no other has."""
    named: dict[str, ImageSet] = {}
    for one in sets:
        key = plain = _plain_key(one)
        number = 1
        while key.lower() in named:
            number += 1
            key = f"{plain}-{number}"
        named[key.lower()] = replace(one, key=key)
    return list(named.values())


def _plain_key(one: ImageSet) -> str:
    parts = [f"-{one.target}" * (one.target != "channel"), f"-s{one.seed}" * (one.seed != 0), f"-{one.variant}"]
    return safe(one.metric + "".join(part for part in parts if part != "-"))[:LONGEST]
