"""The model that was read for a plan in this process, kept for the work that follows here, so that it is read once."""

from dataclasses import replace
from typing import TYPE_CHECKING

from atlas.config.schema import ModelConfig

if TYPE_CHECKING:
    from atlas.zoo.load import Loaded

# one at most: whoever has read several would have them all in memory at once
_kept: list[tuple[ModelConfig, "Loaded"]] = []


def keep(config: ModelConfig, loaded: "Loaded") -> None:
    """Keep a model, instead of the one before; config: what it was loaded by."""
    _kept[:] = [(config, loaded)]


def take(name: str, config: ModelConfig, device: str) -> "Loaded | None":
    """The model of that name and config, on the device, which is from then on the caller's; None: another is kept."""
    model = next((loaded for by, loaded in _kept if (loaded.name, by) == (name, config)), None)
    if model is None:
        return None
    drop()
    return (
        model if device == "cpu" else replace(model, model=model.model.to(device), device=model.scale.to(device).device)
    )


def drop() -> None:
    """Let go of what nobody has taken."""
    _kept.clear()
