"""How an actor begins to compare the features of a bank."""

from collections.abc import Callable
from functools import partial

from atlas.engine.work import check_atlas_is_shared
from atlas.records import Receipt
from atlas.similarity.compare.settings import BlockShard, CompareSettings


def begin_comparison(settings: CompareSettings, model: str) -> Callable[[BlockShard], Receipt]:
    """Open the bank, and return the function that compares a shard; there is no model to pin."""
    # Here, since torch comes with them, which the driver that names this function does without.
    from atlas.similarity.compare.bank import Bank
    from atlas.similarity.compare.comparer import Comparer
    from atlas.similarity.compare.worker import compare_shard

    check_atlas_is_shared(settings)
    return partial(compare_shard, Comparer(Bank(settings.bank), settings.comparison, settings.device), settings)
