"""The beginning of an actor's work on pictures."""

from collections.abc import Callable

from atlas.records import Receipt
from atlas.similarity.probe.settings import PictureShard, ProbeSettings


def begin_probe(settings: ProbeSettings, model: str) -> Callable[[PictureShard], Receipt]:
    """Load a model and pin it; the function that is returned looks at its shards, one after another."""
    from atlas.run.pinned import pinned  # torch comes with it, which the driver that names this function does without
    from atlas.similarity.probe.worker import Prober

    return Prober(settings, pinned(settings, model)).probe
