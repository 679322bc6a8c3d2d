"""The bank: what the comparison of features reads, layer by layer, as plain arrays on disk that every worker sees.

Features stand in the order of their addresses, so a layer's are neighbors there, and ties are settled by position.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from atlas.records import Address
from atlas.similarity.compare.rotation import rotation
from atlas.similarity.compare.statistics import live, moments, standardised, without


@dataclass(frozen=True)
class LayerSpan:
    """One layer of the bank: its features are those from `start` to `stop`."""

    model: str
    layer: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        return f"{self.model}/{self.layer}"

    @property
    def features(self) -> slice:
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Pictures:
    """The probe: arrays over its pictures, in a fixed order."""

    weight: Float64[np.ndarray, "n"]  # sums to 1
    made: Int[np.ndarray, "n"]  # the feature that a picture was made for; -1: none of the bank's
    shown: Bool[np.ndarray, "n"]  # whether it stands for that feature; others of the feature are only left out

    @property
    def own_images(self) -> bool:
        """Whether pictures were made for features: only then is there anything but `profile`."""
        return bool(self.shown.any())


class Facts(NamedTuple):
    """What is known of each channel of a layer, and of each channel of its rotated copy."""

    alive: Bool[np.ndarray, "c"]
    mean: Float64[np.ndarray, "c"]  # over all pictures
    sd: Float64[np.ndarray, "c"]
    mu: Float64[np.ndarray, "c"]  # without the channel's own pictures
    sigma: Float64[np.ndarray, "c"]
    own: Float64[np.ndarray, "c"]  # on the channel's own pictures
    rotation: Float32[np.ndarray, "c c"]
    turned_sd: Float64[np.ndarray, "c"]
    turned_mu: Float64[np.ndarray, "c"]  # without the pictures of the stand-in
    turned_sigma: Float64[np.ndarray, "c"]
    turned_own: Float64[np.ndarray, "c"]  # on the stand-in's pictures
    stand_in: Int[np.ndarray, "c"]  # a rotated channel has no image: the layer's feature whose image drives it most


def panels_of(addresses: Sequence[str]) -> tuple[LayerSpan, ...]:
    """The layers of features in the order of their addresses."""
    assert list(addresses) == sorted(addresses), "addresses come sorted"
    panels, at = [], 0
    for (model, layer), group in groupby(map(Address.parse, addresses), key=lambda one: one[:2]):
        count = sum(1 for _ in group)
        panels.append(LayerSpan(model, layer, at, at + count))
        at += count
    return tuple(panels)


class Bank:
    """A bank on disk, opened for reading."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        said = json.loads((self.folder / "bank.json").read_text())
        self.addresses: list[str] = said["addresses"]
        self.panels = tuple(LayerSpan(**panel) for panel in said["panels"])
        self.own_images: bool = said["own_images"]

    def facts(self, panel: int) -> Facts:
        with np.load(self.folder / f"{panel}.facts.npz") as found:
            return Facts(**found)

    def rows(self, panel: int, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "c n"]:
        """Standardised responses of a layer's features, or of some of them, over the probe's pictures."""
        return np.array(np.load(self.folder / f"{panel}.rows.npy", mmap_mode="r")[start:stop])

    def driven(self, panel: int, rows: slice = slice(None), columns: slice = slice(None)) -> Float32[np.ndarray, "f c"]:
        """driven[f, g]: the response of a layer's channel g to the image of feature f of the bank."""
        return np.array(np.load(self.folder / f"{panel}.driven.npy", mmap_mode="r")[rows, columns])


def write_bank(
    folder: Path,
    addresses: Sequence[str],
    pictures: Pictures,
    responses: Callable[[LayerSpan], Float32[np.ndarray, "n c"]],
    *,
    seed: int = 0,
    look: Callable[[LayerSpan, Float32[np.ndarray, "n c"], Facts], object] = lambda panel, values, facts: None,
) -> Bank:
    """Write what `responses` gives for each layer, one layer (and a few copies of it) in memory at a time.

    `look` sees each layer as it passes.

    responses: mean activations of a layer's features, in their order, on the probe's pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    panels = panels_of(addresses)
    for number, panel in enumerate(panels):
        values = responses(panel)
        facts, rows, driven = _measure(panel, values, pictures, len(addresses), seed)
        np.save(folder / f"{number}.rows.npy", rows)
        if driven is not None:
            np.save(folder / f"{number}.driven.npy", driven)
        np.savez(folder / f"{number}.facts.npz", **facts._asdict())
        look(panel, values, facts)
    said = {"addresses": list(addresses), "panels": list(map(asdict, panels)), "own_images": pictures.own_images}
    (folder / "bank.json").write_text(json.dumps(said))
    return Bank(folder)


def _measure(
    panel: LayerSpan, values: Float32[np.ndarray, "n c"], pictures: Pictures, features: int, seed: int
) -> tuple[Facts, Float32[np.ndarray, "c n"], Float32[np.ndarray, "f c"] | None]:
    found = moments(values, pictures.weight)
    alive = live(values, found)
    rows = standardised(values, pictures.weight, found, alive)
    turn = rotation(alive, panel.name, seed)
    turned = np.where(alive, values, np.float32(0)) @ turn
    turned_found = moments(turned, pictures.weight)
    if not pictures.own_images:
        missing = np.full(len(panel), np.nan)
        none = np.full(len(panel), -1)
        facts = Facts(alive, *found, *found, missing, turn, turned_found.sd, *turned_found, missing, none)
        return facts, rows, None
    driven, turned_driven = _driven(values, pictures, features), _driven(turned, pictures, features)[panel.features]
    local = np.where(pictures.made < 0, -1, pictures.made - panel.start)
    local[(local < 0) | (local >= len(panel))] = -1
    places = np.arange(len(panel))
    plain = without(values, pictures.weight, _made_for(local, places), everything=found)
    stand_in = np.where(alive, turned_driven.argmax(0), -1)
    turned_plain = without(turned, pictures.weight, _made_for(local, stand_in), everything=turned_found)
    own = driven[panel.features][places, places].astype(np.float64)
    turned_own = turned_driven[stand_in, places].astype(np.float64)
    facts = Facts(alive, *found, *plain, own, turn, turned_found.sd, *turned_plain, turned_own, stand_in)
    return facts, rows, driven


def _driven(values: Float32[np.ndarray, "n c"], pictures: Pictures, features: int) -> Float32[np.ndarray, "f c"]:
    """The mean response to the pictures that stand for each feature; every feature of a bank has one."""
    from scipy.sparse import csr_array

    shown = np.flatnonzero(pictures.shown)
    made = pictures.made[shown]
    share = 1.0 / np.bincount(made, minlength=features)[made]
    mean = csr_array((share.astype(np.float32), (made, shown)), shape=(features, len(values)))
    return mean @ values


def _made_for(
    local: Int[np.ndarray, "n"], wanted: Int[np.ndarray, "c"]
) -> tuple[Int[np.ndarray, "m"], Int[np.ndarray, "m"]]:
    """The pictures made for the feature that is wanted for each channel, and those channels; -1 wants none."""
    order = np.argsort(local, kind="stable")
    first, last = (np.searchsorted(local[order], wanted, side=side) for side in ("left", "right"))
    count = np.where(wanted < 0, 0, last - first)
    channels = np.repeat(np.arange(len(wanted)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return order[first[channels] + step], channels
