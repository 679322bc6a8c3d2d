"""A cache of one loaded model: models that are needed one after the other are never two in memory at once."""

import gc

from atlas.config.schema import ModelConfig
from atlas.zoo.load import Loaded, load


class OneModel:
    """Loads models by name; keeps the last one, and lets go of it before it loads another."""

    def __init__(self, models: dict[str, ModelConfig], device: str) -> None:
        self.models, self.device = models, device
        self._loaded: Loaded | None = None

    def __call__(self, name: str) -> Loaded:
        """The model; whoever asked for another one before must not keep that. ConfigError: it cannot be loaded."""
        if self._loaded is None or self._loaded.name != name:
            if self._loaded is not None:
                self._loaded = None
                # some models refer to themselves
                gc.collect()
            self._loaded = load(name, self.models[name], self.device)
        return self._loaded
