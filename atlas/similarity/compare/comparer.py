"""A block of sources against every layer of the bank: all measures, all scopes, in memory that the block bounds."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from atlas.similarity.compare import layer_sums
from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.blocks import Block, Comparison
from atlas.similarity.compare.lists import Lists, merge, ranked, targets
from atlas.similarity.compare.measures import LayerData, Pair, Sources, scores
from atlas.store.similarity_tables import TOP

CPU_CACHE = 1 << 30  # bytes of layers kept between blocks
GPU_CACHE = 0.4  # of a GPU's memory
MAPPED = ("sym", "profile")  # measures that do not depend on the direction: those of maps


@dataclass
class _BlockFindings:
    """What one block has found so far."""

    lists: dict[tuple[str, int, int], Lists] = field(default_factory=dict)  # by measure, sign and panel
    arrays: dict[str, np.ndarray] = field(default_factory=dict)  # what is written as it is


class Comparer:
    """Compares blocks of one bank; keeps the layers that it read last, as far as its budget reaches."""

    def __init__(self, bank: Bank, asked: Comparison, device: str = "cpu") -> None:
        torch.set_float32_matmul_precision("highest")
        measures = asked.measures if bank.own_images else tuple(m for m in asked.measures if m == "profile")
        self.bank, self.asked, self.measures, self.device = bank, asked, measures, device
        self._layers: OrderedDict[int, LayerData] = OrderedDict()
        self._cache = CPU_CACHE if device == "cpu" else GPU_CACHE * torch.cuda.get_device_properties(0).total_memory

    def compare(self, block: Block, path: Path) -> None:
        """Compare one block and write what was found as .npz at `path`."""
        sources = Sources(self.bank, block.panel, block.start, block.stop, device=self.device)
        found = _BlockFindings()
        for number in range(len(self.bank.panels)):
            pair = Pair(sources, self._layer(number), number)
            for measure in self.measures:
                self._take(found, measure, pair, block)
        found.arrays |= {
            f"{scope}.{key}": rows for scope in self.asked.scopes for key, rows in self._merged(found, scope, block)
        }
        with open(path, "wb") as file:
            np.savez(file, allow_pickle=False, **found.arrays)

    def _layer(self, number: int) -> LayerData:
        if number not in self._layers:
            self._layers[number] = LayerData(self.bank, number, self.device)
            while len(self._layers) > 1 and sum(one.bytes for one in self._layers.values()) > self._cache:
                self._layers.popitem(last=False)
        self._layers.move_to_end(number)
        return self._layers[number]

    def _take(self, found: _BlockFindings, measure: str, pair: Pair, block: Block) -> None:
        """Rank one tile; keep of it what maps and the layer table need."""
        tile = scores(measure, pair)
        same = pair.number == block.panel
        if measure == "profile":
            found.arrays |= layer_sums.sums(pair)
        if same and measure in MAPPED:
            found.arrays[f"map.{measure}"] = tile.forward.clone().cpu().numpy()  # the diagonal goes below
        if same:
            places = torch.arange(len(pair.sources), device=self.device)
            tile.forward[places, places + block.start - pair.layer.panel.start] = torch.nan
        for sign, k in self.asked.signs:
            found.lists[measure, sign, pair.number] = ranked(tile, k, sign, pair.layer.panel.start)
        if measure == "profile":
            found.arrays |= layer_sums.matches(found.lists[measure, TOP, pair.number], tile, pair)

    def _merged(self, found: _BlockFindings, scope: str, block: Block) -> Iterator[tuple[str, np.ndarray]]:
        """The lists of a scope, from those of the layers that belong to it."""
        for name, panels in targets(scope, self.bank.panels, block.panel):
            for measure in self.measures:
                for sign, k in self.asked.signs:
                    merged = merge([found.lists[measure, sign, number] for number in panels], k, sign)
                    for part, rows in merged.items():
                        yield f"{name}.{measure}.{sign}.{part}", rows.cpu().numpy()
