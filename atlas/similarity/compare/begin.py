"""The beginning of an actor's work on a bank of features."""

from collections.abc import Callable
from functools import partial

from atlas.records import Receipt
from atlas.run.work import check_atlas_is_shared
from atlas.similarity.compare.settings import BlockShard, CompareSettings


def begin_comparison(settings: CompareSettings, model: str) -> Callable[[BlockShard], Receipt]:
    """Open the bank; there is no model to be pinned. The function that is returned compares shard after shard."""
    from atlas.similarity.compare.bank import Bank
    from atlas.similarity.compare.comparer import Comparer
    from atlas.similarity.compare.worker import compare_shard  # torch comes with it, which the driver does without

    check_atlas_is_shared(settings)
    return partial(compare_shard, Comparer(Bank(settings.bank), settings.comparison, settings.device), settings)
