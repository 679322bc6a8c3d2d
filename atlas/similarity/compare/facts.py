"""What is known of every channel of a layer, and of every channel of the layer's rotated copy:
from responses to facts.

The rotated copy is the control of every score: the same layer, with its channels mixed by a random rotation.
A rotation keeps what a layer as a whole knows (its CKA with anything) and destroys what single channels mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy.sparse import csr_array

from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.compare.statistics import live, moments, standardised, without


@dataclass(frozen=True)
class PictureRoles:
    """What each picture of a probe, in a fixed order, is to the features that are compared."""

    features: Sequence[str]  # addresses, sorted
    weight: Float64[np.ndarray, "n"]  # sums to 1
    made_for: Int[np.ndarray, "n"]  # number of the feature that a picture was made for; -1: none of these
    # whether it represents that feature; a feature's other pictures are only left out
    represents: Bool[np.ndarray, "n"]

    @property
    def own_images(self) -> bool:
        """Whether pictures were made for features: only then is there any measure but `profile`."""
        return bool(self.represents.any())


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


class LayerMeasurement(NamedTuple):
    """What the bank keeps of one layer."""

    facts: Facts
    rows: Float32[np.ndarray, "c n"]  # standardised responses
    driven: Float32[np.ndarray, "f c"] | None  # responses to the images of every feature; None where there are none


def measure_layer(
    span: LayerSpan, values: Float32[np.ndarray, "n c"], roles: PictureRoles, seed: int
) -> LayerMeasurement:
    """Measure a layer.

    values: mean activations of the layer's features on the probe's pictures; seed: of the rotation.
    """
    whole = moments(values, roles.weight)
    alive = live(values, whole)
    rows = standardised(values, roles.weight, whole, alive)
    turn = rotation(alive, span.name, seed)
    turned = np.where(alive, values, np.float32(0)) @ turn
    turned_whole = moments(turned, roles.weight)
    if not roles.own_images:
        no_score, nobody = np.full(len(span), np.nan), np.full(len(span), -1)
        facts = Facts(alive, *whole, *whole, no_score, turn, turned_whole.sd, *turned_whole, no_score, nobody)
        return LayerMeasurement(facts, rows, None)
    driven, turned_driven = _driven(values, roles), _driven(turned, roles)[span.features]
    local = np.where(roles.made_for < 0, -1, roles.made_for - span.start)
    local[(local < 0) | (local >= len(span))] = -1
    channels = np.arange(len(span))
    others = without(values, roles.weight, _made_for(local, channels), everything=whole)
    stand_in = np.where(alive, turned_driven.argmax(0), -1)
    turned_others = without(turned, roles.weight, _made_for(local, stand_in), everything=turned_whole)
    own = driven[span.features][channels, channels].astype(np.float64)
    turned_own = turned_driven[stand_in, channels].astype(np.float64)
    facts = Facts(alive, *whole, *others, own, turn, turned_whole.sd, *turned_others, turned_own, stand_in)
    return LayerMeasurement(facts, rows, driven)


def rotation(alive: Bool[np.ndarray, "c"], layer: str, seed: int) -> Float32[np.ndarray, "c c"]:
    """A random orthogonal matrix (QR of a Gaussian) over the live channels, zero elsewhere; fixed by layer and seed."""
    digits = blake2b(f"{seed} {layer}".encode(), digest_size=8).hexdigest()
    gauss = np.random.default_rng(int(digits, 16)).normal(size=(alive.sum(),) * 2)
    q, r = np.linalg.qr(gauss)
    turn = np.zeros((len(alive),) * 2, np.float32)
    turn[np.ix_(alive, alive)] = q * np.sign(np.diag(r))  # uniform over rotations (Mezzadri 2007)
    return turn


def _driven(values: Float32[np.ndarray, "n c"], roles: PictureRoles) -> Float32[np.ndarray, "f c"]:
    """The mean response to the pictures that represent each feature; every feature of a bank has one."""
    pictures = np.flatnonzero(roles.represents)
    features = roles.made_for[pictures]
    share = 1.0 / np.bincount(features, minlength=len(roles.features))[features]
    mean = csr_array((share.astype(np.float32), (features, pictures)), shape=(len(roles.features), len(values)))
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
