"""Planted responses: layers of channels of which some are copies of others,
so that it is known who belongs together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int

from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.spans import spans_of
from atlas.similarity.compare.statistics import weights_of

LATENT = 8  # dimensions of what channels have in common
LOUDNESS = 1.5  # deviation of the logarithm of a channel's gain: a few are a hundred times as loud as most
BASE = 3.0  # what a channel does on any picture, in deviations: as after a ReLU, a loud one is never silent


@dataclass(frozen=True)
class Planted:
    """Responses to pictures, one made for each feature and others for none; features in the order of addresses."""

    addresses: list[str]
    values: Float32[np.ndarray, "n c"]
    made_for: Int[np.ndarray, "n"]  # the feature that a picture was made for; -1: none
    source: Int[np.ndarray, "n"]  # the layer of that feature; -1: none. Each source weighs the same
    unit: Int[np.ndarray, "c"]  # what a channel computes: that of a copy is its original's

    @cached_property
    def roles(self) -> PictureRoles:
        return PictureRoles(self.addresses, weights_of(self.source), self.made_for, self.made_for >= 0)

    @property
    def twins(self) -> dict[str, str]:
        """Both ways: the copy of a channel, and the channel of a copy."""
        same = (self.unit[:, None] == self.unit) & ~np.eye(len(self.unit), dtype=bool)
        return {self.addresses[f]: self.addresses[g] for f, g in zip(*np.nonzero(same), strict=True)}


def planted(
    layers: Mapping[str, int],
    *,
    twins: int = 0,
    extra: int = 0,
    strength: float = 6.0,
    vague: float = 0.0,
) -> Planted:
    """Responses of layers `model/layer` of so many channels, each with so many pairs of twins (weights × gain, + bias).

    A picture drives the unit it was made for by `strength` deviations, its kin by what their latents share; `vague`:
    deviation of a picture's latent from its unit's. extra: pictures made for nobody.
    """
    random = np.random.default_rng(0)
    addresses = sorted(f"{name}:{channel}" for name, count in layers.items() for channel in range(count))
    spans, features = spans_of(addresses), len(addresses)
    unit = np.arange(features)
    for span in spans:
        originals, copies = random.permutation(np.arange(span.start, span.stop))[: 2 * twins].reshape(2, twins)
        unit[copies] = originals
    values = _units(random, unit, extra, strength=strength, vague=vague)
    values = (values + BASE) * random.lognormal(0.0, LOUDNESS, features) + random.normal(scale=BASE, size=features)
    layer = np.repeat(np.arange(len(spans)), [len(span) for span in spans])
    return Planted(
        addresses,
        values.astype(np.float32),
        made_for=np.concatenate([np.arange(features), np.full(extra, -1)]),
        source=np.concatenate([layer, np.full(extra, -1)]),
        unit=unit,
    )


def _units(
    random: np.random.Generator, unit: Int[np.ndarray, "c"], extra: int, *, strength: float, vague: float
) -> Float64[np.ndarray, "n c"]:
    """What the channels compute before gain and bias; those of one unit the same."""
    features = len(unit)
    latent = random.normal(size=(features, LATENT))[unit]
    pictures = np.vstack([latent, random.normal(size=(extra, LATENT))])
    pictures = pictures + vague * random.normal(size=pictures.shape)
    own = np.vstack([unit[:, None] == unit, np.zeros((extra, features), bool)])
    noise = random.normal(size=(features + extra, features))[:, unit]
    return pictures @ latent.T / np.sqrt(LATENT) + strength * own + noise
