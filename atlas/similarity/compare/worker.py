"""A worker's share of a comparison: blocks of features in, what was found of them on disk beside the bank."""

import uuid
from time import perf_counter

from atlas.records import Receipt
from atlas.run.memory import peak
from atlas.run.work import BlockShard, CompareWork
from atlas.similarity.compare.bank import Bank
from atlas.similarity.compare.comparer import Comparer


class Comparing:
    """One opened bank. Its results are no part of the atlas yet: the driver makes tables of them when all are there."""

    def __init__(self, work: CompareWork) -> None:
        self.work = work
        self.comparer = Comparer(Bank(work.bank), work.asked, work.device)

    def compare(self, shard: BlockShard) -> Receipt:
        """Compare each block; of two workers that were sent the same one, the last leaves its equal file."""
        began = perf_counter()
        for block in shard.items:
            part = self.work.bank / f".{uuid.uuid4().hex}.part"
            self.comparer.compare(block, part)
            part.replace(self.work.bank / block.file)
        return Receipt(
            shard=shard.id,
            files=(),
            ok=len(shard.items),
            dead=0,
            failed=0,
            seconds=perf_counter() - began,
            batch=1,
            peak_bytes=peak(self.work.device),
        )
