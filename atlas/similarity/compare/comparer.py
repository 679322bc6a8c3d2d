"""A block of sources against every layer of the bank: all measures, all scopes,
in memory that the block bounds.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.similarity.compare import layer_sums
from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.blocks import Block, Comparison
from atlas.similarity.compare.lists import Lists, merge, numbers_in_scope, ranked
from atlas.similarity.compare.measures import LayerData, Pair, Sources, scores
from atlas.store.files import write_whole
from atlas.store.similarity_tables import TOP
from atlas.zoo.shortage import is_shortage

CPU_CACHE = 1 << 30  # bytes of layers kept between blocks
GPU_CACHE = 0.4  # of a GPU's memory
Arrays = dict[str, np.ndarray]
MAPPED = ("sym", "profile")  # measures that do not depend on the direction: those of maps


@dataclass
class _BlockTally:
    """What is known of one block so far."""

    lists: dict[tuple[str, int, int], Lists] = field(default_factory=dict)  # by measure, sign and layer's number
    arrays: Arrays = field(default_factory=dict)  # what is written as it is


class Comparer:
    """Compares blocks of one bank; keeps the layers that it read last, as far as its budget reaches."""

    def __init__(self, bank: Bank, comparison: Comparison, device: str = "cpu") -> None:
        torch.set_float32_matmul_precision("highest")
        profile_alone = tuple(measure for measure in comparison.measures if measure == "profile")
        self.bank, self.comparison, self.device = bank, comparison, device
        self.measures = comparison.measures if bank.own_images else profile_alone
        self._layers: OrderedDict[int, LayerData] = OrderedDict()
        self._cache = CPU_CACHE if device == "cpu" else GPU_CACHE * torch.cuda.get_device_properties(0).total_memory

    def compare(self, block: Block, path: Path) -> None:
        """Compare one block with the bank, and write the results as .npz at `path`."""
        results: dict[str, Any] = self._results(block)
        write_whole(path, lambda file: np.savez(file, **results), durable=False)

    def _results(self, block: Block) -> Arrays:
        """The results of a block; where the memory runs out, those of its halves, without the layers that were kept."""
        try:
            return self._results_at_once(block)
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error) or block.stop - block.start == 1:
                raise
        # here, where no traceback holds the tiles any more
        self._layers.clear()
        if self.device == "cuda":
            torch.cuda.empty_cache()
        middle = (block.start + block.stop) // 2
        halves = (replace(block, stop=middle), replace(block, start=middle))
        return layer_sums.joined(*map(self._results, halves))

    def _results_at_once(self, block: Block) -> Arrays:
        sources = Sources(self.bank, block, device=self.device)
        tally = _BlockTally()
        for number in range(len(self.bank.spans)):
            pair = Pair(sources, self._layer(number))
            for measure in self.measures:
                self._take(tally, measure, pair)
        for scope in self.comparison.scopes:
            tally.arrays.update({f"{scope}.{key}": rows for key, rows in self._merged(tally, scope, block)})
        return tally.arrays

    def _layer(self, number: int) -> LayerData:
        if number not in self._layers:
            self._layers[number] = LayerData(self.bank, number, self.device)
            while len(self._layers) > 1 and sum(layer.bytes for layer in self._layers.values()) > self._cache:
                self._layers.popitem(last=False)
        self._layers.move_to_end(number)
        return self._layers[number]

    def _take(self, tally: _BlockTally, measure: str, pair: Pair) -> None:
        """Rank one tile; keep of it what maps and the layer table need."""
        tile = scores(measure, pair)
        number, start = pair.layer.number, pair.layer.span.start
        if measure == "profile":
            tally.arrays.update(layer_sums.sums(pair))
        if pair.same and measure in MAPPED:
            tally.arrays[f"map.{measure}"] = tile.forward.clone().cpu().numpy()  # the diagonal goes below
        if pair.same:
            rows = torch.arange(len(pair.sources), device=self.device)
            tile.forward[rows, rows + pair.sources.start - start] = torch.nan
        for sign, k in self.comparison.signs:
            tally.lists[measure, sign, number] = ranked(tile, k, sign, start)
        if measure == "profile":
            tally.arrays.update(layer_sums.matches(tally.lists[measure, TOP, number], tile, pair))

    def _merged(self, tally: _BlockTally, scope: str, block: Block) -> Iterator[tuple[str, np.ndarray]]:
        """The lists of a scope, from those of the layers that belong to it."""
        for model, numbers in numbers_in_scope(scope, self.bank.spans, block.number):
            for measure in self.measures:
                for sign, k in self.comparison.signs:
                    merged = merge([tally.lists[measure, sign, number] for number in numbers], k, sign)
                    for part, rows in merged.items():
                        yield f"{model}.{measure}.{sign}.{part}", rows.cpu().numpy()
