"""How an actor begins to measure layers."""

from collections.abc import Callable
from functools import partial

from atlas.engine.work import check_atlas_is_shared
from atlas.records import Receipt
from atlas.similarity.measurement.settings import LayerShard, MeasurementSettings


def begin_measurement(settings: MeasurementSettings, model: str) -> Callable[[LayerShard], Receipt]:
    """The function that measures a shard; there is no model to pin."""
    # Here, since torch comes with it, which the driver that names this function does without.
    from atlas.similarity.measurement.worker import measure_shard

    check_atlas_is_shared(settings)
    return partial(measure_shard, settings)
