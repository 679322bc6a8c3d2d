"""How an actor begins to look at pictures."""

from collections.abc import Callable

from atlas.records import Receipt
from atlas.similarity.probe.settings import PictureShard, ProbeSettings


def begin_probe(settings: ProbeSettings, model: str) -> Callable[[PictureShard], Receipt]:
    """Load a model and pin it, and return the function that shows it a shard of pictures."""
    # Here, since torch comes with them, which the driver that names this function does without.
    from atlas.engine.pinned import pinned
    from atlas.similarity.probe.worker import Prober

    return Prober(settings, pinned(settings, model)).probe
