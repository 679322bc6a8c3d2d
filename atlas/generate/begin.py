"""The beginning of an actor's work on images."""

from collections.abc import Callable

from atlas.generate.settings import ImageSettings
from atlas.records import ImageShard, Receipt


def begin_images(settings: ImageSettings, model: str) -> Callable[[ImageShard], Receipt]:
    """Load a model and pin it; the function that is returned makes its shards, one after another."""
    from atlas.engine.pinned import pinned
    from atlas.generate.maker import (
        Maker,  # torch comes with it, which the driver that names this function does without
    )

    return Maker(settings, pinned(settings, model)).make
