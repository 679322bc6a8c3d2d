"""Planted responses, a whole comparison of them in this process, and what the slow oracle makes of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.records import MEASURES, SCOPES
from atlas.selftest.oracle import scores
from atlas.similarity.compare.bank import Bank, write_bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import Comparison, blocks_of
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.statistics import weights_of


@dataclass
class Planted:
    """Responses (pictures, features) of layers whose features each have one picture, in the order of addresses."""

    addresses: list[str]
    values: np.ndarray
    made_for: np.ndarray
    source: np.ndarray

    @property
    def roles(self) -> PictureRoles:
        return PictureRoles(self.addresses, weights_of(self.source), self.made_for, self.made_for >= 0)


def planted(layers: dict[str, int], seed: int = 0, extra: int = 0) -> Planted:
    """Layers `model/layer` of so many channels. A channel answers its own picture and those of a few kin loudly.

    extra: pictures made for nobody.
    """
    random = np.random.default_rng(seed)
    addresses = sorted(f"{name}:{channel}" for name, count in layers.items() for channel in range(count))
    n = len(addresses)
    latent = random.normal(size=(n, 8))
    kin = np.vstack([latent, random.normal(size=(extra, 8))]) @ latent.T
    loud = random.lognormal(0, 1.5, n)
    values = (kin + 6 * np.eye(n + extra, n) + random.normal(size=(n + extra, n))) * loud + 3 * random.normal(size=n)
    made_for = np.concatenate([np.arange(n), np.full(extra, -1)])
    names = [address.rpartition(":")[0] for address in addresses]
    layer = {name: number for number, name in enumerate(dict.fromkeys(names))}
    source = np.array([layer[name] for name in names] + [-1] * extra)
    return Planted(addresses, values.astype(np.float32), made_for, source)


def compare(
    folder: Path, data: Planted, *, measures=MEASURES, scopes=SCOPES, top=5, bottom=2, most=2048, device="cpu", seed=0
) -> tuple[Bank, BlockResults]:
    """The whole comparison, in one process."""

    def responses(span):
        return np.ascontiguousarray(data.values[:, span.features])

    bank = write_bank(folder, data.roles, responses, seed=seed)
    comparer = Comparer(bank, Comparison(tuple(measures), tuple(scopes), top, bottom), device)
    blocks = blocks_of(bank.spans, most)
    files = [folder / f"block-{number}.npz" for number in range(len(blocks))]
    for block, file in zip(blocks, files, strict=True):
        comparer.compare(block, file)
    return bank, BlockResults(blocks, files)


def oracle(data: Planted, measure: str) -> np.ndarray:
    """Scores (features, features) in float64, one pair at a time; NaN where there is none."""
    alive = data.values.std(0) > 0
    return np.where(alive[:, None] & alive, scores(data, measure), np.nan)


def nearest(table: pa.Table, rank: int = 1) -> dict[str, str]:
    """src: the neighbor of a rank."""
    return {row["src"]: row["dst"] for row in table.to_pylist() if row["rank"] == rank and row["sign"] == 1}
