"""A worker's share of a comparison: takes blocks of features, leaves files beside the bank,
and returns a receipt.
"""

from time import perf_counter

from atlas.engine.memory import peak
from atlas.records import Receipt
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.compare.settings import BlockShard, CompareSettings


def compare_shard(comparer: Comparer, settings: CompareSettings, shard: BlockShard) -> Receipt:
    """Compare each block. Where two workers are sent the same block, the later file, which is equal, stays.

    The files are no part of the atlas yet: the driver makes tables of them when all are there.
    """
    began = perf_counter()
    for block in shard.items:
        comparer.compare(block, settings.bank / block.file)
    return Receipt.of_all(shard, perf_counter() - began, peak(settings.device))
