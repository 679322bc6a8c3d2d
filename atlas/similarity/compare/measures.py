"""The five measures of how similar two features are, tile by tile:
some features against one layer (METHODS §4).

A[f, g] is the response of channel g to the image of f; mu and sigma are of g over all pictures but its own.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Shaped
from torch import Tensor

from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.blocks import Block
from atlas.similarity.compare.facts import Facts

Scores = Float[Tensor, "sources channels"]


class Tile(NamedTuple):
    """Scores of some sources against one layer; NaN where there is none."""

    forward: Scores  # source → channel
    back: Scores  # channel → source
    turned: Scores  # source → channel of the layer's rotated copy


class LayerData:
    """One layer that features are compared with: its rows over the probe and its facts, on a device."""

    def __init__(self, bank: Bank, number: int, device: str) -> None:
        self.number, self.span = number, bank.spans[number]
        self.rows = torch.from_numpy(bank.rows(number)).to(device)
        self.facts = _on(device, bank.facts(number))

    @property
    def bytes(self) -> int:
        """That are of its own: on a CPU the rows are the file's."""
        rows = 0 if self.rows.device.type == "cpu" else self.rows.nbytes
        return rows + sum(values.nbytes for values in self.facts.values())


class Sources:
    """The features of a block: their rows, and how they respond to the image of every feature of the bank."""

    def __init__(self, bank: Bank, block: Block, *, device: str) -> None:
        first = bank.spans[block.number].start
        channels = slice(block.start - first, block.stop - first)
        self.start, self.stop, self.device = block.start, block.stop, device
        self.bank = bank
        self.rows = torch.from_numpy(bank.rows(block.number, channels.start, channels.stop)).to(device)
        facts = _on(device, bank.facts(block.number))
        self.facts = {name: value[channels] for name, value in facts.items() if name != "rotation"}
        if bank.own_images:
            self.back = torch.from_numpy(bank.driven(block.number, columns=channels)).to(device)  # (features, sources)

    def __len__(self) -> int:
        return self.stop - self.start


class Pair:
    """Some sources against one layer: what several measures need is computed once, when it is first asked for."""

    def __init__(self, sources: Sources, layer: LayerData) -> None:
        self.sources, self.layer = sources, layer
        self.facts = layer.facts

    @cached_property
    def driven(self) -> Float64[Tensor, "sources channels"]:
        """A[f, g]: how the layer responds to the sources' images."""
        return self._driven.double()

    @cached_property
    def turned(self) -> Float64[Tensor, "sources channels"]:
        """The same of the layer's rotated copy."""
        turned = (torch.where(self.facts["alive"], self._driven, 0.0) @ self.facts["rotation"]).double()
        return turned - self.own_part * self.of_sources("own")

    @cached_property
    def turned_mu(self) -> Float64[Tensor, "_ channels"]:
        return self.facts["turned_mu"] - self.own_part * self.of_sources("mu")

    @property
    def same(self) -> bool:
        """Whether the sources are of this layer."""
        return self.layer.span.start <= self.sources.start < self.layer.span.stop

    @cached_property
    def own_part(self) -> Float64[Tensor, "_ channels"]:
        """How much of each rotated channel is the source itself; it is taken out, as a feature is not its own neighbor.

        0 for another layer's sources.
        """
        if not self.same:
            return torch.zeros(1, len(self.layer.span), dtype=torch.float64, device=self.sources.device)
        start = self.sources.start - self.layer.span.start
        part = self.facts["rotation"][start : start + len(self.sources)].double()
        return torch.where(self.of_sources("alive"), part, 0.0)

    @cached_property
    def r(self) -> Float[Tensor, "sources channels"]:
        """Pearson's r over the probe's pictures: the one product over all of them."""
        return self.sources.rows @ self.layer.rows.T

    @cached_property
    def slope(self) -> Float[Tensor, "sources channels"]:
        """Covariances by the source's deviation."""
        return self.r * torch.where(self.facts["alive"], self.facts["sd"], 0.0).float()

    @cached_property
    def turned_slope(self) -> Float[Tensor, "sources channels"]:
        """The same with the rotated copy: the layer's own, rotated, so that no second pass over pictures is needed."""
        return self.slope @ self.facts["rotation"]

    @cached_property
    def back(self) -> Float64[Tensor, "sources channels"]:
        """A[g, f]: how the sources respond to the images of the layer's features."""
        return self.sources.back[self.layer.span.features].T.double()

    @cached_property
    def back_of_stand_ins(self) -> Float64[Tensor, "sources channels"]:
        """How the sources respond to the images of the stand-ins of the rotated copy's channels; NaN on their own."""
        own = self.facts["stand_in"] + self.layer.span.start == self._ids[:, None]
        return self.back[:, self.facts["stand_in"].clamp(min=0)].masked_fill(own, torch.nan)

    def of_sources(self, name: str) -> Shaped[Tensor, "sources 1"]:
        """A fact of each source."""
        return self.sources.facts[name][:, None]

    @cached_property
    def _driven(self) -> Float[Tensor, "sources channels"]:
        rows = slice(self.sources.start, self.sources.stop)
        return torch.from_numpy(self.sources.bank.driven(self.layer.number, rows)).to(self.sources.device)

    @property
    def _ids(self) -> Tensor:
        return torch.arange(self.sources.start, self.sources.stop, device=self.sources.device)


def raw(pair: Pair) -> Tile:
    """A[f, g], the source's comparison: the loudest channels win."""
    return Tile(pair.driven, pair.back, pair.turned)


def z(pair: Pair) -> Tile:
    """(A[f, g] − mu_g) / sigma_g: by how many deviations f's image moves g. Directed."""
    facts = pair.facts
    forward = (pair.driven - facts["mu"]) / facts["sigma"]
    back = (pair.back - pair.of_sources("mu")) / pair.of_sources("sigma")
    return Tile(forward, back, (pair.turned - pair.turned_mu) / facts["turned_sigma"])


def drive(pair: Pair) -> Tile:
    """(A[f, g] − mu_g) / (A[g, g] − mu_g): 1 where f's image moves g as much as g's own. Directed.

    None where a channel's own image does not lift it above its mean: there is nothing to measure by.
    """
    facts = pair.facts
    forward = (pair.driven - facts["mu"]) / _lift(facts["own"] - facts["mu"])
    back = (pair.back - pair.of_sources("mu")) / _lift(pair.of_sources("own") - pair.of_sources("mu"))
    return Tile(forward, back, (pair.turned - pair.turned_mu) / _lift(facts["turned_own"] - facts["turned_mu"]))


def sym(pair: Pair) -> Tile:
    """(z(f→g) + z(g→f)) / 2: the mean deviation of each on the other's image."""
    forward, back, turned = z(pair)
    mean = (forward + back) / 2
    of_stand_ins = (pair.back_of_stand_ins - pair.of_sources("mu")) / pair.of_sources("sigma")
    return Tile(mean, mean, (turned + of_stand_ins) / 2)


def profile(pair: Pair) -> Tile:
    """Pearson's r of two channels over the probe's pictures."""
    if not pair.same:
        return Tile(pair.r, pair.r, pair.turned_slope / pair.facts["turned_sd"].float())
    part = pair.own_part * pair.of_sources("sd").nan_to_num()
    variance = pair.facts["turned_sd"] ** 2 - 2 * part * pair.turned_slope + part**2  # without the source's own part
    turned = (pair.turned_slope - part) / variance.clamp(min=0).sqrt()
    return Tile(pair.r, pair.r, turned.masked_fill(variance <= 0, torch.nan))


def _lift(lift: Float64[Tensor, "..."]) -> Float64[Tensor, "..."]:
    return torch.where(lift > 0, lift, torch.nan)


def scores(measure: str, pair: Pair) -> Tile:
    """One measure of a pair in float32, so that equal numbers on disk are ties; NaN wherever a side is not live."""
    tile = Tile(*(part.float() for part in MEASURES[measure](pair)))
    if pair.sources.facts["alive"].all() and pair.facts["alive"].all():
        return tile
    dead: Bool[Tensor, "sources channels"] = ~(pair.of_sources("alive") & pair.facts["alive"])
    return Tile(*(part.masked_fill(dead, torch.nan) for part in tile))


def _on(device: str, facts: Facts) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value).to(device) for name, value in facts._asdict().items()}


MEASURES: dict[str, Callable[[Pair], Tile]] = {"raw": raw, "z": z, "drive": drive, "sym": sym, "profile": profile}
